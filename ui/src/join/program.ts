// Getting the program that shares the screen: for which computer, from where, and whether it arrived whole.

const API = '/api/v1';

/** What people call the systems that browsers say they run on. */
const SYSTEMS: [sign: RegExp, name: string][] = [
  [/android/i, 'Android'],
  [/iphone|ipad|ipod/i, 'iOS'],
  [/windows|win32|win64/i, 'Windows'],
  [/macintosh|mac ?os|macintel/i, 'macOS'],
  [/\bcros\b|chrome ?os/i, 'ChromeOS'],
  [/linux|x11/i, 'Linux'],
];

/** The parts of `navigator` that name the system; only some browsers have the first. */
type BrowserPlatform = { userAgentData?: { platform: string }; platform?: string; userAgent?: string };

/** The system that the browser says it runs on; null if it doesn't say. */
export function systemOf({ userAgentData, platform, userAgent }: BrowserPlatform): string | null {
  const said = [userAgentData?.platform, userAgent, platform].filter(Boolean).join(' ');
  return SYSTEMS.find(([sign]) => sign.test(said))?.[1] ?? null;
}

/** The names of the systems for which there are programs: `linux-x86_64` is Linux. */
export function systemsOf(platforms: { platform: string }[]): string[] {
  return [...new Set(platforms.map(({ platform }) => systemOf({ platform }) ?? platform))];
}

/** The programs that this server hands out; none if it doesn't answer. */
export async function programs(): Promise<{ platform: string; size: number; sha256: string }[]> {
  try {
    const answer = await fetch(`${API}/x/program_info`);
    const info = (answer.ok ? await answer.json() : {}) as { platforms?: unknown };
    return Array.isArray(info.platforms) ? info.platforms : [];
  } catch {
    return [];
  }
}

/** Why there is no program: `given` if this session's own program was delivered before. */
export class NoProgram extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** A program that arrived whole, with its SHA-256. */
export type Program = { blob: Blob; name: string; sum: string };

/** The session's conf. The server gives it out only once, so it is kept until the program has arrived. */
const confs = new Map<string, string>();

/** The program with this session's conf, so that nothing has to be typed. */
export async function ownProgram(pin: string): Promise<Program> {
  const conf = encodeURIComponent(await confOf(pin));
  return receive(await get(`/session_exe?hide_progress=false&self_delete=true&conf=${conf}`));
}

async function confOf(pin: string): Promise<string> {
  const known = confs.get(pin);
  if (known !== undefined) return known;
  const answer = await get(`/session_parameters?session_pin=${encodeURIComponent(pin)}`);
  const { conf } = (await answer.json()) as { conf: string };
  confs.set(pin, conf);
  return conf;
}

/** The program without a conf, which asks for the PIN. The technician sees by the PIN that it was downloaded. */
export async function plainProgram(pin: string): Promise<Program> {
  return receive(await get(`/x/program?session_pin=${encodeURIComponent(pin)}`));
}

async function get(path: string): Promise<Response> {
  const answer = await fetch(API + path).catch(() => {
    throw new NoProgram('unreachable');
  });
  if (answer.ok) return answer;
  const codes: Partial<Record<number, string>> = { 404: 'missing', 409: 'given', 410: 'over' };
  throw new NoProgram(codes[answer.status] ?? 'refused');
}

/** The downloaded file with its name and SHA-256; refused if the sum isn't the one that the server announced. */
async function receive(answer: Response): Promise<Program> {
  const sum = answer.headers.get('x-program-sha256') ?? '';
  const named = /filename="([\w.-]+)"/.exec(answer.headers.get('content-disposition') ?? '');
  const blob = await answer.blob().catch(() => {
    throw new NoProgram('unreachable');
  });
  const own = await sumOf(blob);
  if (own !== null && own !== sum) throw new NoProgram('damaged');
  return { blob, name: named?.[1] ?? 'deskhand-presenter.run', sum };
}

/** Null where it can't be computed: browsers have `crypto.subtle` only on pages from https or localhost. */
async function sumOf(blob: Blob): Promise<string | null> {
  if (!(crypto as Partial<Crypto>).subtle) return null;
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
