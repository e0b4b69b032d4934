import { $, chatForm, connect, readPin, showPeople, showValid } from "/assets/live.js";

// The link carries the PIN in its query, as the service's does. It is moved behind the hash at
// once, so that a reload sends it to nobody.
const given = new URLSearchParams(location.search.slice(1) || location.hash.slice(1));
const pin = readPin(given.get("session_pin") ?? "");
const readOnly = given.get("ro") === "true";
if (!pin) {
  location.replace("/");
} else {
  // #chat asks for the chat of the session that is open, so the link takes its place again.
  const link = `/view#${given}`;
  const showChat = () => {
    if (location.hash !== "#chat") return false;
    history.replaceState(null, "", link);
    $("text").focus();
    return true;
  };
  $("readonly").hidden = !readOnly;
  let live;
  const name = chatForm(() => live, "viewer-name", given.get("un"));
  if (!showChat()) history.replaceState(null, "", link);
  live = connect({
    pin,
    side: "viewers",
    name,
    onHash: showChat,
    onOnline: ({ expires }) => showValid(expires),
    onRoster: ({ presenter, viewers }) => {
      const customer = presenter || "The customer";
      const here = presenter !== null;
      $("title").textContent = here && presenter ? `Session with ${presenter}` : "Support session";
      document.title = $("title").textContent;
      $("screen-text").textContent = here
        ? `${customer} is connected with the join page, which stands in for the program that will share the screen. You can chat meanwhile.`
        : "The customer is not connected. This page will show it as soon as that changes.";
      const me = name();
      let meFound = false;
      const others = viewers.map((viewer) => {
        const mine = !meFound && viewer === me;
        meFound ||= mine;
        const shown = viewer || "A technician";
        return { name: mine ? `${shown} (you)` : shown, word: "Viewer", here: true };
      });
      showPeople([{ name: customer, word: here ? "Connected" : "Not connected", here }, ...others]);
    },
    onEnd: () => {
      $("screen-text").textContent = "This page is not connected to the session.";
      showPeople([{ name: "You", word: "Not connected", here: false }]);
    },
  });
}
