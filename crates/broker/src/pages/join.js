import { readPin } from "/assets/live.js";
import { $, chatForm, meet, showPeople, showValid } from "/assets/parts.js";
import { NoProgram, ownProgram, plainProgram, programs, save, systemOf, systemsOf } from "/assets/program.js";

const pin = readPin(decodeURIComponent(location.hash.slice(1)));
if (!pin) {
  location.replace("/");
} else {
  let live, sharing = "none";
  const name = chatForm(() => live, "name", "");
  live = meet({
    // Beside the program: who is here, and who shares, is the program's to say.
    hello: () => ({ session_pin: pin, side: "presenter", companion: true, name: name() }),
    onOnline: ({ expires, asker }) => {
      showValid(expires);
      showAsker(asker ?? {});
    },
    onRoster: ({ presenter, viewers, sharing: now }) => {
      sharing = now ?? "none";
      showSharing(sharing);
      const helpers = viewers.map((viewer) => viewer || "A technician");
      $("lead").textContent = helpers.length
        ? `${list(viewers.map((viewer, at) => viewer || (at ? "a technician" : "A technician")))} ${helpers.length > 1 ? "are" : "is"} here with you.`
        : "You are connected. Your technician is not here yet.";
      const you = { name: "You", word: presenter === null ? "On this page" : SHARING[sharing].word, here: true };
      const others = helpers.map((helper) => ({ name: helper, word: "Here", here: true }));
      const nobody = { name: "Technician", word: "Not here yet", here: false };
      showPeople([you, ...(others.length ? others : [nobody])]);
    },
    onEnd: (code) => {
      $("lead").textContent = "You are not connected.";
      const goesOn = sharing !== "none" && (code === "left" || code === "reported");
      if (goesOn) $("over-text").textContent = "Your screen is still shared: press Stop on the program's banner.";
      $("sharing").hidden = true;
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
  offer();
}

const SHARING = {
  none: { word: "Connected" },
  shared: {
    word: "Sharing the screen",
    title: "Your screen is shared",
    text: 'The banner on your screen names who watches and controls. "Stop" there ends it.',
  },
  paused: {
    word: "Control paused",
    title: "Your screen is shared, control is paused",
    text: "They see your screen, and can't type or click until you allow it on the banner.",
  },
};

function showSharing(sharing) {
  const { title, text } = SHARING[sharing];
  if (title) {
    $("sharing-title").textContent = title;
    $("sharing-text").textContent = text;
  } else if ($("sharing").dataset.sharing !== "none") {
    $("sharing-title").textContent = "No screen is shared any more";
    $("sharing-text").textContent = "Nobody can see or control this computer now.";
  }
  $("sharing").dataset.sharing = sharing;
  $("program").hidden = sharing !== "none";
}

function showAsker({ technician = "", company = "" }) {
  const who = technician && company ? `${technician}, ${company},` : technician || company;
  $("asker").hidden = !who;
  $("asker-name").textContent = `${who} asks to see this computer's screen.`;
}

/** Says which computers it works on, before anything is downloaded. */
async function offer() {
  const systems = systemsOf(await programs());
  const mine = systemOf(navigator);
  if (!systems.length) {
    unfit("This server has no program to hand out", "Ask your technician. You can chat with them here meanwhile.");
  } else if (mine && !systems.includes(mine)) {
    const there = `It works on ${list(systems)} only so far. You can chat here meanwhile, or open this page on another computer.`;
    unfit(`The program doesn't work on ${mine} yet`, there);
  }
  // A browser may be wrong about its computer.
  $("download").disabled = !systems.length;
  $("download").addEventListener("click", () => bring($("download"), () => ownProgram(pin), ""));
  const server = `--broker ${location.origin}`;
  $("plain").addEventListener("click", () => bring($("plain"), plainProgram, server));
}

function unfit(title, text) {
  $("unfit-title").textContent = title;
  $("unfit-text").textContent = text;
  $("unfit").hidden = false;
}

const FAILED = {
  missing: "There is no program for this computer on this server. Ask your technician.",
  over: "This PIN is no longer valid. Ask for a new one.",
  damaged: "The file did not arrive as the server sent it, so it was not saved. Try once more.",
  unreachable: "The server could not be reached. Check the connection and try once more.",
  refused: "The server refused it. Wait a minute and try once more.",
};

/** Downloads, saves, and says how to run it: `rest` is what has to be typed after the file's name. */
async function bring(button, get, rest) {
  const word = button.textContent;
  button.disabled = true;
  button.textContent = "Downloading";
  $("download-error").hidden = true;
  try {
    const program = await get();
    save(program);
    $("file").textContent = program.name;
    $("sum").textContent = program.sum;
    $("arrived").hidden = false;
    const file = `~/Downloads/${program.name}`;
    $("command").textContent = `chmod +x ${file} && ${file}${rest && ` ${rest}`}`;
    // Alone it asks for the PIN, and only a terminal can be asked in.
    if (rest) $("terminal").open = true;
    button.textContent = "Download once more";
  } catch (error) {
    const code = error instanceof NoProgram ? error.code : "refused";
    $("again").hidden = code !== "given";
    $("download-error").textContent = FAILED[code] ?? "";
    $("download-error").hidden = !FAILED[code];
    button.textContent = word;
  }
  button.disabled = false;
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
