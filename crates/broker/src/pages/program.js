// Getting the program that shares the screen: for which computer, from where, and whether it arrived whole.

const API = "/api/v1";

/** What people call the systems that browsers say they run on. */
const SYSTEMS = [
  [/android/i, "Android"],
  [/iphone|ipad|ipod/i, "iOS"],
  [/windows|win32|win64/i, "Windows"],
  [/macintosh|mac ?os|macintel/i, "macOS"],
  [/\bcros\b|chrome ?os/i, "ChromeOS"],
  [/linux|x11/i, "Linux"],
];

/** Which system this is, as far as the browser says; null if it doesn't. */
export function systemOf({ userAgentData, platform, userAgent }) {
  const said = [userAgentData?.platform, userAgent, platform].filter(Boolean).join(" ");
  return SYSTEMS.find(([sign]) => sign.test(said))?.[1] ?? null;
}

/** The systems that there are programs for, as people call them: `linux-x86_64` is Linux. */
export function systemsOf(platforms) {
  return [...new Set(platforms.map(({ platform }) => systemOf({ platform }) ?? platform))];
}

/** The programs that this server hands out; none if it can't be asked. */
export async function programs() {
  try {
    const answer = await fetch(`${API}/x/program_info`);
    const told = answer.ok ? await answer.json() : {};
    return Array.isArray(told.platforms) ? told.platforms : [];
  } catch {
    return [];
  }
}

/** Why there is no program: `given` if this session's own was handed out before. */
export class NoProgram extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The conf of a session, which is given out once only; so it is kept until the program has arrived. */
const confs = new Map();

/** The program of this session: it knows the session, so that nothing has to be typed. */
export async function ownProgram(pin) {
  if (!confs.has(pin)) {
    const answer = await get(`/session_parameters?session_pin=${encodeURIComponent(pin)}`);
    confs.set(pin, (await answer.json()).conf);
  }
  const conf = encodeURIComponent(confs.get(pin));
  return whole(await get(`/session_exe?hide_progress=false&self_delete=true&conf=${conf}`));
}

/** The program alone: it asks for the PIN. */
export async function plainProgram() {
  return whole(await get("/x/program"));
}

async function get(path) {
  const answer = await fetch(API + path).catch(() => {
    throw new NoProgram("unreachable");
  });
  if (answer.ok) return answer;
  const codes = { 404: "missing", 409: "given", 410: "over" };
  throw new NoProgram(codes[answer.status] ?? "refused");
}

/** The file with its name and its sum; refused if it isn't what the server says that it sent. */
async function whole(answer) {
  const sum = answer.headers.get("x-program-sha256") ?? "";
  const named = /filename="([\w.-]+)"/.exec(answer.headers.get("content-disposition") ?? "");
  const blob = await answer.blob().catch(() => {
    throw new NoProgram("unreachable");
  });
  const own = await sumOf(blob);
  if (own !== null && own !== sum) throw new NoProgram("damaged");
  return { blob, name: named?.[1] ?? "deskhand-presenter.run", sum };
}

/** A page that came without encryption can't reckon sums. */
async function sumOf(blob) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Hands the file to the browser, which keeps it where downloads go. */
export function save({ blob, name }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
