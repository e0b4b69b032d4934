// What the pages of a session show: people, chat, the state of the connection.
// What people wrote only ever becomes text, never markup.

import { connect } from "./live.js";

export const $ = (id) => document.getElementById(id);

const ENDINGS = {
  replaced: ["This page was opened again", "The session goes on in the newer page. You can close this one."],
  revoked: ["The session was ended", "Its PIN no longer works. Ask for a new one if you still need help."],
  expired: ["The PIN's time is over", "Ask for a new PIN if you still need help."],
  pin_over: ["This PIN is no longer valid", "Its session was ended or its time is over. Ask for a new PIN."],
  unknown_pin: ["No session has this PIN", "Check it with your technician, then type it again on the front page."],
  unknown: ["This link is no longer valid", "Its session was ended or its time is over. Ask for a new link."],
  malformed: ["This is not a PIN", "A PIN has nine digits and letters, like 7W2-97-8570."],
  blocked: ["This address has been blocked", "There were several reports of abuse. The operator of this server can lift the block."],
  left: ["You have left the session", "You can close this page, or load it again to come back."],
  reported: ["Reported, and you have left", "Thank you. If somebody is on the phone with you, hang up."],
};

/** A live connection whose chat and state the page shows. `onOther` gets the messages that only some pages know. */
export function meet({ hello, onState, onOnline, onRoster, onChat, onOther, onEnd, onHash }) {
  return connect({
    hello,
    onHash,
    onState: (state, text) => {
      showState(state, text);
      onState?.(state);
    },
    onRefused: showChatError,
    onMessage: (message) => {
      switch (message.type) {
        case "welcome":
          message.chat.forEach((earlier) => showMessage(earlier, false));
          onOnline(message);
          onRoster(message);
          break;
        case "presence":
          onRoster(message);
          break;
        case "chat":
          if (showMessage(message.message, true)) onChat?.(message.message);
          break;
        default:
          onOther?.(message);
      }
    },
    onEnd: (code) => {
      const [title, text] = ENDINGS[code] ?? ["The session can't go on", "Load the page again to try once more."];
      $("over-title").textContent = title;
      $("over-text").textContent = text;
      $("over").hidden = false;
      document.body.classList.add("over");
      onEnd(code);
    },
  });
}

/** Wires the chat's form to a connection that is made later. */
export function chatForm(live, key, initial) {
  const name = $("name"), text = $("text");
  name.value = initial || sessionStorage.getItem(key) || "";
  name.addEventListener("change", () => {
    sessionStorage.setItem(key, name.value.trim());
    live().send({ type: "name", name: name.value.trim() });
  });
  const submit = () => {
    const body = text.value.trim();
    showChatError("");
    if (body && live().send({ type: "chat", name: name.value.trim(), body })) text.value = "";
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

/** False if the message was shown before. */
function showMessage({ guid, timestamp, subject, body }, isNew) {
  if (shown.has(guid)) return false;
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
  return true;
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

/** The word of the connection, and whether anything can be sent on it. */
function showState(state, text) {
  $("send").disabled = state !== "online";
  $("state").dataset.state = state;
  $("state-text").textContent = text;
}

function showChatError(text) {
  $("chat-error").textContent = text && `Your message was not sent: ${text}.`;
  $("chat-error").hidden = !text;
}

const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
