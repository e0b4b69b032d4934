// The live connection of a page, and what both session pages show of it.
// What people wrote only ever becomes text, never markup.

export const $ = (id) => document.getElementById(id);

/** A PIN as a person types it; null if it can't be one. */
export function readPin(typed) {
  const bare = typed.toUpperCase().replace(/[\s\-\u2010-\u2015\u2212_.]/g, "").replace(/O/g, "0").replace(/I/g, "1");
  return /^[0-9A-Z]{9}$/.test(bare) ? `${bare.slice(0, 3)}-${bare.slice(3, 5)}-${bare.slice(5)}` : null;
}

const ENDINGS = {
  replaced: ["This page was opened again", "The session goes on in the newer page. You can close this one."],
  revoked: ["The session was ended", "Its PIN no longer works. Ask for a new one if you still need help."],
  expired: ["The PIN's time is over", "Ask for a new PIN if you still need help."],
  pin_over: ["This PIN is no longer valid", "Its session was ended or its time is over. Ask for a new PIN."],
  unknown_pin: ["No session has this PIN", "Check it with your technician, then type it again on the front page."],
  malformed: ["This is not a PIN", "A PIN has nine digits and letters, like 7W2-97-8570."],
  blocked: ["This address has been blocked", "There were several reports of abuse. The operator of this server can lift the block."],
  left: ["You have left the session", "You can close this page, or load it again to come back."],
  reported: ["Reported, and you have left", "Thank you. If somebody is on the phone with you, hang up."],
};

/** Connects, and connects again after every loss with the same page id, so that it isn't a new start. */
export function connect({ pin, side, name, onRoster, onEnd, onOnline, onHash }) {
  const page = newId();
  let socket, timer, tries = 0, over = false;

  const send = (message) => {
    const open = socket?.readyState === WebSocket.OPEN;
    if (open) socket.send(JSON.stringify(message));
    return open;
  };
  const end = (code) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    showState("over", code === "left" || code === "reported" ? "You have left" : "Ended");
    const [title, text] = ENDINGS[code] ?? ["The session can't go on", "Load the page again to try once more."];
    $("over-title").textContent = title;
    $("over-text").textContent = text;
    $("over").hidden = false;
    document.body.classList.add("over");
    onEnd();
    socket?.close();
  };
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/live`);
    socket.onopen = () => send({ type: "hello", session_pin: pin, side, page, name: name() });
    socket.onmessage = (event) => hear(JSON.parse(event.data));
    socket.onclose = lost;
  };
  const lost = () => {
    if (over) return;
    $("send").disabled = true;
    const wait = Math.min(15000, 500 * 2 ** Math.min(tries, 5)) * (0.75 + Math.random() / 2);
    tries += 1;
    showState("reconnecting", tries > 1 ? `Connection lost, trying again (${tries})` : "Connection lost, trying again");
    clearTimeout(timer);
    timer = setTimeout(open, wait);
  };
  const hear = (message) => {
    switch (message.type) {
      case "welcome":
        tries = 0;
        joined = true;
        showState("online", "Connected");
        $("send").disabled = false;
        message.chat.forEach((earlier) => showMessage(earlier, false));
        onOnline(message);
        onRoster(message);
        break;
      case "presence":
        onRoster(message);
        break;
      case "chat":
        showMessage(message.message, true);
        break;
      case "refused":
        if (!joined && message.code !== "too_many" && message.code !== "not_saved") end(message.code);
        else if (joined) showChatError(message.error);
        break;
      case "bye":
        if (message.code !== "restarting") end(message.code);
        break;
    }
  };
  let joined = false;
  // Back from sleep or from no network: don't wait for the next try.
  const hurry = () => {
    if (!over && socket?.readyState === WebSocket.CLOSED) {
      clearTimeout(timer);
      open();
    }
  };
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => document.hidden || hurry());
  // A page out of the back-forward cache is a new load.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  // Another link in the same page is another session.
  addEventListener("hashchange", () => onHash?.() || location.reload());

  showState("connecting", "Connecting");
  open();
  return {
    say: (text) => send({ type: "chat", name: name(), body: text }),
    rename: () => send({ type: "name", name: name() }),
    leave: (code = "left") => {
      send({ type: "leave" });
      end(code);
    },
  };
}

/** Wires the chat's form to a connection that is made later. */
export function chatForm(live, key, initial) {
  const name = $("name"), text = $("text");
  name.value = initial || sessionStorage.getItem(key) || "";
  name.addEventListener("change", () => {
    sessionStorage.setItem(key, name.value.trim());
    live().rename();
  });
  const submit = () => {
    const body = text.value.trim();
    showChatError("");
    if (body && live().say(body)) text.value = "";
    fit();
  };
  const fit = () => {
    text.rows = Math.min(5, Math.max(1, text.value.split("\n").length));
  };
  $("chat-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    text.focus();
  });
  text.addEventListener("input", fit);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!$("send").disabled) submit();
    }
  });
  return () => name.value.trim();
}

const shown = new Set();

function showMessage({ guid, timestamp, subject, body }, isNew) {
  if (shown.has(guid)) return;
  shown.add(guid);
  $("empty")?.remove();
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const item = document.createElement("li"), who = document.createElement("p");
  const time = document.createElement("time"), text = document.createElement("p");
  const sent = new Date(timestamp * 1000);
  who.className = "who";
  who.textContent = subject || "No name";
  time.dateTime = sent.toISOString();
  time.textContent = clock(sent);
  who.append(time);
  text.className = "text";
  text.textContent = body;
  if (isNew) item.className = "new";
  item.append(who, text);
  log.append(item);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

export function showPeople(rows) {
  $("people").replaceChildren(...rows.map(({ name, word, here }) => {
    const item = document.createElement("li");
    const who = document.createElement("span"), state = document.createElement("span");
    who.className = "name";
    who.textContent = name;
    state.className = `word ${here ? "here" : "away"}`;
    state.textContent = word;
    item.append(who, state);
    return item;
  }));
  // Not by the style sheet's :empty, which WebKit doesn't look at again when the list is filled.
  $("people-card").hidden = rows.length === 0;
}

export function showValid(expires) {
  const until = new Date(expires * 1000);
  const day = until.toDateString() === new Date().toDateString() ? "" : " tomorrow";
  $("valid").textContent = `The PIN stays valid until about ${clock(until)}${day}.`;
}

function showState(state, text) {
  $("state").dataset.state = state;
  $("state-text").textContent = text;
}

function showChatError(text) {
  $("chat-error").textContent = text && `Your message was not sent: ${text}.`;
  $("chat-error").hidden = !text;
}

const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** randomUUID exists only on https and localhost; a page on the local network has neither. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
