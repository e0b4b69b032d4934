import { $, chatForm, connect, readPin, showPeople, showValid } from "/assets/live.js";

const pin = readPin(decodeURIComponent(location.hash.slice(1)));
if (!pin) {
  location.replace("/");
} else {
  let live;
  const name = chatForm(() => live, "name", "");
  live = connect({
    pin,
    side: "presenter",
    name,
    onOnline: ({ expires }) => showValid(expires),
    onRoster: ({ presenter, viewers }) => {
      const helpers = viewers.map((viewer) => viewer || "A technician");
      $("lead").textContent = helpers.length
        ? `${list(helpers)} ${helpers.length > 1 ? "are" : "is"} here with you.`
        : "You are connected. Your technician has been told and will be here soon.";
      const you = { name: presenter ? `${presenter} (you)` : "You", word: "Here", here: true };
      const others = helpers.map((helper) => ({ name: helper, word: "Here", here: true }));
      const nobody = { name: "Technician", word: "Not here yet", here: false };
      showPeople([you, ...(others.length ? others : [nobody])]);
    },
    onEnd: () => {
      $("lead").textContent = "You are not connected.";
      showPeople([{ name: "You", word: "Not connected", here: false }]);
    },
  });
  $("leave").addEventListener("click", () => live.leave());
  $("alarm").addEventListener("click", () => {
    $("confirm").hidden = false;
    $("report").focus();
  });
  $("cancel").addEventListener("click", () => {
    $("confirm").hidden = true;
    $("alarm").focus();
  });
  $("report").addEventListener("click", async () => {
    const body = JSON.stringify({ user_agent: navigator.userAgent, session_pin: pin });
    let done = false;
    try {
      done = (await fetch("/api/v1/report_abuse", { method: "POST", body })).ok;
    } finally {
      live.leave(done ? "reported" : "left");
    }
  });
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
