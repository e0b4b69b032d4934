import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { NoProgram, ownProgram, plainProgram, systemOf, systemsOf } from '../join/program';
import { press, shortcutOf, SPECIAL } from './keys';
import { choices, monitorsOf, same } from './monitors';
import { tooLarge } from './picture';
import { inWords, Meter } from './quality';
import { type ViewerState, askedAfter, rosterOf, rowsOf, noticeOf } from './screenNotice';
import { readReply, ScreenStream } from './screenStream';
import { readAddress } from './pageAddress';

const at = (pathname: string, search = '', hash = '') => readAddress({ pathname, search, hash } as Location);

describe('a picture of the screen', () => {
  test('that the app would refuse is refused before the customer is told of it', () => {
    const of = (size: number) => ({ size }) as Blob;
    expect(tooLarge(of(32 << 20), true)).toBeNull();
    expect(tooLarge(of((32 << 20) + 1), true)).toContain('larger than 32 MB');
    expect(tooLarge(of((32 << 20) + 1), false)).toBeNull();
  });
});

describe('the way to the page', () => {
  test('keeps the PIN behind the hash', () => {
    const way = at('/view', '?session_pin=7w2978570&un=Anna&ro=true');
    expect(way).toMatchObject({
      proof: { session_pin: '7W2-97-8570' },
      name: 'Anna',
      readOnly: true,
      app: false,
    });
    expect(way?.link).toBe('/view#session_pin=7w2978570&un=Anna&ro=true');
  });

  test('takes a ticket in the place of a PIN', () => {
    expect(at('/view', '', '#ticket=abc&un=Ben')).toMatchObject({ proof: { ticket: 'abc' }, name: 'Ben' });
  });

  test('needs neither in a window of the app, and gives neither away', () => {
    const way = at('/viewer/token/', '', '#un=Anna');
    expect(way).toMatchObject({ app: true, proof: {}, link: '/viewer/token/#un=Anna' });
    expect(at('/viewer/token/', '', '#chat')).toMatchObject({ chat: true, link: '/viewer/token/' });
  });

  test('leads nowhere without any', () => {
    expect(at('/view')).toBeNull();
    expect(at('/view', '?session_pin=12')).toBeNull();
  });
});

describe('keys', () => {
  const key = (init: KeyboardEventInit) => shortcutOf(new KeyboardEvent('keydown', init));
  const chord = { ctrlKey: true, altKey: true, shiftKey: true };

  test('are shortcuts with all three held, whatever the layout makes of them', () => {
    expect(key({ ...chord, key: 'F', code: 'KeyF' })).toBe('full');
    expect(key({ ...chord, key: '€', code: 'KeyC' })).toBe('chat');
    expect(key({ ...chord, key: 'ArrowLeft', code: 'ArrowLeft' })).toBeNull();
  });

  test("are the customer's otherwise", () => {
    expect(key({ key: 'f', code: 'KeyF' })).toBeNull();
    expect(key({ ctrlKey: true, altKey: true, key: 'd', code: 'KeyD' })).toBeNull();
    expect(key({ ...chord, metaKey: true, key: 'F', code: 'KeyF' })).toBeNull();
  });

  test('of a menu go down in order and up in the other', () => {
    const sent: string[] = [];
    const tab = SPECIAL.find(({ label }) => label === 'Alt+Tab');
    press({ sendKey: (_, code, down) => sent.push(`${code} ${down ? 'down' : 'up'}`) }, tab?.keys ?? []);
    expect(sent).toEqual(['AltLeft down', 'Tab down', 'Tab up', 'AltLeft up']);
  });
});

describe('monitors', () => {
  const layout = (...areas: number[][]) => {
    const bytes = new Uint8Array(4 + areas.length * 16);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, areas.length);
    areas.forEach((area, index) => {
      area.forEach((value, field) => {
        view.setUint16(4 + index * 16 + 4 + field * 2, value);
      });
    });
    return monitorsOf(bytes);
  };

  test('are offered from left to right, and not at all where there is one', () => {
    const two = layout([1920, 0, 1280, 1024], [0, 0, 1920, 1080]);
    const labels = choices(two).map(({ label }) => label);
    expect(labels).toEqual(['All screens', 'Screen 1 (1920 × 1080)', 'Screen 2 (1280 × 1024)']);
    expect(choices(layout([0, 0, 800, 600]))).toEqual([]);
  });

  test('without a size are passed over', () => {
    expect(layout([0, 0, 0, 0], [0, 0, 800, 600])).toHaveLength(1);
    expect(same(null, layout([0, 0, 8, 6])[0] ?? null)).toBe(false);
  });
});

describe('quality', () => {
  test('counts pictures since the last look and keeps the last round trip', () => {
    const meter = new Meter(0);
    expect(meter.read(1000, 0)).toEqual({ latency: null, fps: 0 });
    for (let i = 0; i < 48; i += 1) meter.frame();
    meter.roundTrip(12.4);
    expect(meter.read(3000, 0)).toEqual({ latency: 12, fps: 24 });
    expect(meter.read(5000, 900)).toEqual({ latency: 900, fps: 0 });
  });

  test('is said in words, with figures', () => {
    expect(inWords({ latency: 12, fps: 24 }).text).toBe('Good · 12 ms · 24 pictures/s');
    expect(inWords({ latency: 120, fps: 1 }).text).toBe('Fair · 120 ms · 1 picture/s');
    expect(inWords({ latency: 400, fps: 0 }).text).toBe('Slow · 400 ms · still');
    expect(inWords({ latency: 7000, fps: 0 }).word).toBe('No answer');
    expect(inWords({ latency: null, fps: 3 }).text).toBe('3 pictures/s');
    expect(inWords({ latency: null, fps: 0 }).text).toBe('Still');
  });
});

describe('the stage', () => {
  const told = { presenter: 'Maria', viewers: ['Anna'], sharing: 'shared', watchers: [] };
  const facts: ViewerState = {
    online: true,
    over: false,
    roster: rosterOf(told),
    stream: { is: 'open' },
    seen: true,
    asked: 'no',
  };

  test('says why the sharing ended, and nothing of reasons that it does not know', () => {
    const ended = (end?: string) =>
      noticeOf({
        ...facts,
        roster: rosterOf({ presenter: null, viewers: [], sharing: 'none', watchers: [], sharing_end: end }),
      });
    expect(ended('interfered')).toMatchObject({ title: 'The sharing has ended', behind: 'nothing' });
    expect(ended('interfered').text).toMatch(/the encryption broke off, .* too often .*Call the customer/);
    expect(ended('covered').text).toContain('another window');
    for (const none of [undefined, 'other', 'constructor']) {
      expect(ended(none).title).toBe('No screen is shared any more');
    }
  });

  test('shows the screen, and the last picture while it is away', () => {
    expect(noticeOf(facts).behind).toBe('screen');
    expect(noticeOf({ ...facts, stream: { is: 'lost', why: null } })).toMatchObject({
      title: 'Reconnecting',
      text: "The way to the customer's computer was lost. Deskhand keeps trying.",
      behind: 'still',
    });
    const old = { is: 'lost', why: 'It is too old.', misfit: true } as const;
    expect(noticeOf({ ...facts, stream: old, seen: false })).toEqual({
      title: "The versions don't fit",
      text: 'It is too old.',
      behind: 'nothing',
    });
    expect(noticeOf({ ...facts, online: false })).toMatchObject({ title: 'Reconnecting', behind: 'still' });
    expect(noticeOf({ ...facts, seen: false, stream: { is: 'opening' } }).title).toBe('Opening the screen');
  });

  test('says who is missing', () => {
    const none = { ...facts, roster: rosterOf({ ...told, sharing: 'none' }) };
    expect(noticeOf(none).text).toMatch(/^Maria is connected, but without the program/);
    expect(noticeOf(none).title).toBe('No screen is shared any more');
    expect(noticeOf({ ...none, seen: false }).title).toBe('No screen is shared yet');
    const gone = { ...facts, roster: rosterOf({ ...told, presenter: null, sharing: 'none' }) };
    expect(noticeOf(gone).text).toMatch(/^The customer is not connected/);
    expect(noticeOf({ ...facts, over: true }).title).toBe('Not connected');
  });

  test('takes an older broker as one without screens', () => {
    const roster = rosterOf({ presenter: '', viewers: ['Anna', 'Ben'] });
    expect(roster.sharing).toBe('none');
    expect(rowsOf(roster, '').map(({ name, word }) => [name, word])).toEqual([
      ['The customer', 'Connected'],
      ['Anna', 'Viewer'],
      ['Ben', 'Viewer'],
    ]);
  });

  test('lists who controls and who watches, and finds this page among people of one name', () => {
    const one = { name: 'Anna', role: 'control', watching: true, sealed: true, latency_ms: 12, fps: 24 };
    const watchers = [
      { ...one, page: 'a' },
      { page: 'b', name: 'Anna', role: 'watch', watching: true, sealed: false },
    ];
    const rows = rowsOf(rosterOf({ ...told, watchers }), 'b');
    expect(rows.map(({ name, word }) => [name, word])).toEqual([
      ['Maria', 'Shares the screen'],
      ['Anna', 'Controls · 12 ms · 24/s · encrypted'],
      ['Anna (you)', 'Watches'],
    ]);
    const waits = rowsOf(rosterOf({ ...told, watchers, waiting: [{ page: 'b' }] }), 'b').at(-1);
    expect(waits).toEqual({ name: 'Anna (you)', word: 'Waits to be let in', here: false });
  });

  test('says to whom nobody has let in that they wait, and then that they were not let in', () => {
    const roster = rosterOf({ ...told, waiting: [{ page: 'b' }] });
    const waits = askedAfter('no', roster, 'b');
    expect([waits, askedAfter('no', roster, 'a')]).toEqual(['waits', 'no']);
    const opening = { ...facts, roster, stream: { is: 'opening' as const }, asked: waits };
    expect(noticeOf(opening).title).toBe('Waiting to be let in');
    const answered = rosterOf(told);
    const asked = askedAfter(waits, answered, 'b');
    const lost = { ...opening, roster: answered, asked, stream: { is: 'lost' as const, why: null } };
    expect(noticeOf(lost).title).toBe('Not let in');
    expect(noticeOf({ ...lost, stream: { ...lost.stream, why: 'Too many.' } }).title).toBe('Reconnecting');
    expect(noticeOf({ ...lost, asked: 'no' }).title).toBe('Reconnecting');
    expect(askedAfter(asked, rosterOf({ ...told, sharing: 'none' }), 'b')).toBe('no');
  });
});

/** The other side of a stream. */
class Socket {
  static made: Socket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: string[] = [];
  closed = false;
  constructor(readonly url: string) {
    Socket.made.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.closed = true;
  }
}

describe('the stream', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function begin() {
    Socket.made = [];
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', Socket);
    const told: string[] = [];
    const stream = new ScreenStream({
      onOpening: () => told.push('opening'),
      onJoined: (_, role) => told.push(`joined ${role}`),
      onLost: (why, misfit) => told.push(`lost ${misfit ? 'for good ' : ''}${why ?? ''}`.trim()),
    });
    return { stream, told, last: () => Socket.made.at(-1) as Socket };
  }

  test('shows its key first, and is tried again until somebody answers', () => {
    const { stream, told, last } = begin();
    stream.setKey('key');
    last().onopen?.();
    expect(last().sent).toEqual(['{"type":"watch","key":"key"}']);
    last().onmessage?.({ data: '{"type":"refused","code":"no_presenter","error":"<b>"}' });
    expect(told.at(-1)).toBe("lost The customer's program is not connected just now.");
    vi.advanceTimersByTime(1000);
    expect(Socket.made).toHaveLength(2);
    last().onmessage?.({ data: '{"type":"refused","code":"older_program"}' });
    expect(told.at(-1)).toMatch(/^lost for good The customer's program is too old/);
    vi.advanceTimersByTime(2000);
    expect(Socket.made).toHaveLength(3);
    last().onmessage?.({ data: '{"type":"joined","role":"watch"}' });
    expect(told.at(-1)).toBe('joined watch');
    vi.advanceTimersByTime(60_000);
    expect(told.at(-1)).toBe('joined watch');
    stream.ended();
    expect(told.at(-1)).toBe('lost');
  });

  test('gives up a silent one, and ends when there is no key', () => {
    const { stream, told, last } = begin();
    stream.setKey('key');
    vi.advanceTimersByTime(15_000);
    expect(told.at(-1)).toBe("lost The customer's program did not answer.");
    stream.setKey(null);
    vi.advanceTimersByTime(60_000);
    expect(Socket.made).toHaveLength(1);
    expect(last().closed).toBe(true);
  });

  test('with a key that nobody knows waits long', () => {
    const { stream, last } = begin();
    stream.setKey('key');
    last().onmessage?.({ data: '{"type":"refused","code":"unknown"}' });
    vi.advanceTimersByTime(10_000);
    expect(Socket.made).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(Socket.made).toHaveLength(2);
  });

  test('with a new key is a new one, and the old one is heard no more', () => {
    const { stream, told } = begin();
    stream.setKey('old');
    const old = Socket.made[0] as Socket;
    stream.setKey('new');
    old.onclose?.();
    old.onmessage?.({ data: '{"type":"joined","role":"control"}' });
    expect(told).toEqual(['opening', 'opening']);
  });

  test('takes an answer that makes no sense for a refusal', () => {
    for (const data of ['', 'null', '{"type":"joined"', '[]', '{"type":"other"}', new ArrayBuffer(3)]) {
      expect(readReply(data).type).toBe('refused');
    }
    expect(readReply('{"type":"joined","role":"god"}')).toEqual({ type: 'joined', role: 'watch' });
  });
});

describe('the program', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const SUM = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  const file = (body: string) =>
    new Response(body, {
      headers: {
        'x-program-sha256': SUM,
        'content-disposition': 'attachment; filename="deskhand-presenter.run"',
      },
    });

  test('is offered for the computers that there are programs for', () => {
    expect(systemOf({ userAgent: 'Mozilla/5.0 (X11; Linux x86_64)' })).toBe('Linux');
    expect(systemOf({ userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)' })).toBe('Windows');
    expect(systemOf({ userAgent: 'Mozilla/5.0 (Linux; Android 15)' })).toBe('Android');
    expect(systemOf({ userAgent: 'Mozilla/5.0 (iPhone; like Mac OS X)' })).toBe('iOS');
    expect(systemOf({ userAgent: 'Mozilla/5.0 (Macintosh)', platform: 'MacIntel' })).toBe('macOS');
    expect(systemOf({ userAgentData: { platform: 'Chrome OS' }, userAgent: 'X11; Linux' })).toBe('ChromeOS');
    expect(systemOf({})).toBeNull();
    expect(systemsOf([{ platform: 'linux-x86_64' }, { platform: 'linux-aarch64' }])).toEqual(['Linux']);
  });

  test('asks for the conf once, and again only for the file', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(path);
      if (path.includes('session_parameters')) return Promise.resolve(Response.json({ conf: 'a+b' }));
      return Promise.resolve(asked.length === 2 ? new Response('', { status: 500 }) : file('abc'));
    });
    await expect(ownProgram('7W2-97-8570')).rejects.toMatchObject({ code: 'refused' });
    const program = await ownProgram('7W2-97-8570');
    expect(program).toMatchObject({ name: 'deskhand-presenter.run', sum: SUM });
    expect(asked.filter((path) => path.includes('session_parameters'))).toHaveLength(1);
    expect(asked.at(-1)).toContain('conf=a%2Bb');
  });

  test('that arrived otherwise than it was sent is not kept', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(file('abd')));
    await expect(plainProgram('7W2-97-8570')).rejects.toEqual(new NoProgram('damaged'));
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
    await expect(plainProgram('7W2-97-8570')).rejects.toMatchObject({ code: 'unreachable' });
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 409 })));
    await expect(ownProgram('AAA-AA-AAAA')).rejects.toMatchObject({ code: 'given' });
  });
});

test('noVNC still has the inner parts that the viewer builds on', () => {
  const [rfb, display, keyboard] = ['rfb.js', 'display.js', 'input/keyboard.js'].map((name) =>
    readFileSync(`node_modules/@novnc/novnc/core/${name}`, 'utf8'),
  );
  const inner = [
    '_handleMessage',
    '_framebufferUpdate',
    '_handleExtendedDesktopSize',
    '_handleServerFenceMsg',
    '_handleServerCutText',
  ];
  for (const name of [...inner, '_updateClip', '_updateScale']) expect(rfb).toContain(`    ${name}() {`);
  expect(rfb).toContain('Unexpected fence response');
  expect(rfb).toContain('    clientCutText(sock, data, extended = false) {');
  // Of its own it would take neither a picture nor, while it only watches, step over a text.
  expect(rfb).toContain('if (!(formats & extendedClipboardFormatText)) {');
  expect(rfb).toContain('this._clipboardServerCapabilitiesFormats[index] = true;');
  expect(display).toContain('this._viewportLoc');
  for (const name of ['_allKeysUp()', '_interruptAltGrSequence()', '_sendKeyEvent(keysym, code, down, ']) {
    expect(keyboard).toContain(`    ${name}`);
  }
  for (const name of ['_target', '_keyDownList', 'onkeyevent']) expect(keyboard).toContain(`this.${name} = `);
});
