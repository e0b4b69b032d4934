// The live connection of a page: it is kept up, and knows nothing of what the page looks like.

/** A PIN as a person types it; null if it can't be one. */
export function readPin(typed) {
  const bare = typed.toUpperCase().replace(/[\s\-\u2010-\u2015\u2212_.]/g, "").replace(/O/g, "0").replace(/I/g, "1");
  return /^[0-9A-Z]{9}$/.test(bare) ? `${bare.slice(0, 3)}-${bare.slice(3, 5)}-${bare.slice(5)}` : null;
}

/** Where a WebSocket beside this page is: `/view` has it at `/live`, `/viewer/x/` at `/viewer/x/live`. */
export function beside(name) {
  const there = new URL(name, location.href);
  there.protocol = there.protocol === "https:" ? "wss:" : "ws:";
  there.search = there.hash = "";
  return there.href;
}

/** How long to wait before the next try, in milliseconds: longer each time, never all pages at once. */
export function patience(tries) {
  return Math.min(15000, 500 * 2 ** Math.min(tries, 5)) * (0.75 + Math.random() / 2);
}

/** How often a page asks whether the way is still there: a network that drops everything closes no connection. */
const PING_EVERY_MS = 5000;

/** An answer that takes longer than this doesn't come any more. */
const PONG_WITHIN_MS = 9500;

/** How long a connection may take until the session is there. */
const WELCOME_WITHIN_MS = 15000;

/**
 * Connects, and connects again after every loss with the same page id, so that it isn't a new start.
 * `hello` gives what the first message says beside type and page.
 */
export function connect({ hello, onState, onMessage, onRefused, onEnd, onHash }) {
  const page = newId();
  let socket, timer, pings, asked = null, tries = 0, joined = false, over = false;

  const send = (message) => {
    const open = joined && socket?.readyState === WebSocket.OPEN;
    if (open) socket.send(JSON.stringify(message));
    return open;
  };
  const end = (code) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    clearInterval(pings);
    onState("over", code === "left" || code === "reported" ? "You have left" : "Ended");
    onEnd(code);
    socket?.close();
  };
  const open = () => {
    const own = new WebSocket(beside("live"));
    socket = own;
    own.onopen = () => own.send(JSON.stringify({ type: "hello", page, ...hello() }));
    own.onmessage = (event) => {
      if (socket !== own) return;
      asked = null;
      hear(JSON.parse(event.data));
    };
    own.onclose = () => socket === own && lost();
    clearTimeout(timer);
    timer = setTimeout(lost, WELCOME_WITHIN_MS);
  };
  const ping = () => {
    // From the question on, not from the last word: a page in the background runs once a minute only.
    if (asked === null) {
      asked = performance.now();
      send({ type: "ping" });
    } else if (performance.now() - asked > PONG_WITHIN_MS) {
      lost();
    }
  };
  const lost = () => {
    if (over) return;
    joined = false;
    asked = null;
    clearInterval(pings);
    // On a way that is gone its end would be heard of much later, and must not count twice.
    const gone = socket;
    socket = undefined;
    gone?.close();
    const wait = patience(tries);
    tries += 1;
    onState("reconnecting", tries > 1 ? `Connection lost, trying again (${tries})` : "Connection lost, trying again");
    clearTimeout(timer);
    timer = setTimeout(open, wait);
  };
  const hear = (message) => {
    switch (message.type) {
      case "welcome":
        tries = 0;
        joined = true;
        clearTimeout(timer);
        clearInterval(pings);
        pings = setInterval(ping, PING_EVERY_MS);
        onState("online", "Connected");
        onMessage(message);
        break;
      case "pong":
        break;
      case "refused":
        if (joined) onRefused(message.error);
        else if (message.code !== "too_many" && message.code !== "not_saved") end(message.code);
        break;
      case "bye":
        if (message.code !== "restarting") end(message.code);
        break;
      default:
        onMessage(message);
    }
  };
  // Back from sleep or from no network: don't wait for the next try.
  const hurry = () => {
    if (!over && socket === undefined) open();
  };
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => document.hidden || hurry());
  // A page out of the back-forward cache is a new load.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  // Another link in the same page is another session.
  addEventListener("hashchange", () => onHash?.() || location.reload());

  onState("connecting", "Connecting");
  open();
  return {
    send,
    leave: (code = "left") => {
      send({ type: "leave" });
      end(code);
    },
  };
}

/** randomUUID exists only on https and localhost; a page on the local network has neither. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
