import { afterEach, describe, expect, test, vi } from 'vitest';
import { Clips, type Local, type Png, type Sent } from './clipboard';
import { isLarge } from './copiedPicture';
import { meaningOf, message, OURS, PNG, PROVIDE, REQUEST, TEXT } from './extendedClipboard';

/** The beginning of a PNG of this size. */
function png(width: number, height: number, more = 0): Png {
  const bytes = new Uint8Array(33 + more);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  new DataView(bytes.buffer).setUint32(16, width);
  new DataView(bytes.buffer).setUint32(20, height);
  return bytes;
}

function open(local: Local | undefined, outcome: Sent = 'sent') {
  const field = document.createElement('textarea');
  const preview = document.createElement('div');
  const [said, sent] = [[] as string[], [] as (string | Png)[]];
  const send = (what: string | Png) => {
    sent.push(what);
    return outcome;
  };
  const report = (text: string) => void said.push(text);
  const clips = new Clips({ field, preview, report, send, ask: () => outcome === 'sent' }, local);
  return { field, preview, said, sent, clips };
}

/** A clipboard of this computer that gives out what a browser has made of a picture. */
function withPictures(): Local & { written: number } {
  let kept: Blob | null = null;
  vi.stubGlobal(
    'ClipboardItem',
    class {
      constructor(readonly parts: Record<string, Blob>) {}
      readonly types = ['image/png'];
      getType = (): Promise<Blob> => Promise.resolve(this.parts['image/png'] as Blob);
    },
  );
  const local = {
    written: 0,
    readText: () => Promise.resolve(''),
    writeText: () => Promise.resolve(),
    async write([item]: ClipboardItems) {
      local.written += 1;
      const bytes = new Uint8Array(await ((await item?.getType('image/png')) as Blob).arrayBuffer());
      kept = new Blob([bytes, new Uint8Array([local.written])]);
    },
    read: () => Promise.resolve(kept ? [new ClipboardItem({ 'image/png': kept })] : ([] as ClipboardItem[])),
  };
  return local;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('texts', () => {
  test("of the customer's come here, or it is said how to take them", async () => {
    const written: string[] = [];
    const { field, clips } = open({
      readText: () => Promise.resolve(''),
      writeText: (text) => Promise.resolve(void written.push(text)),
    });
    await clips.receive('ä €');
    expect([field.value, written]).toEqual(['ä €', ['ä €']]);
    const denied = open(undefined);
    await denied.clips.receive('x');
    expect(denied.said.at(-1)).toContain('Press "Copy here"');
    await denied.clips.copyShown();
    expect(denied.said.at(-1)).toContain('press Ctrl+C');
  });

  test('that were copied here are sent once, and never what came from there', async () => {
    let copied = 'secret';
    const { sent, clips } = open({
      readText: () => Promise.resolve(copied),
      writeText: () => Promise.resolve(),
    });
    await clips.sendNew();
    await clips.sendNew();
    await clips.receive('theirs');
    copied = 'theirs';
    await clips.sendNew();
    expect(sent).toEqual(['secret']);
  });
});

describe('what was copied here before does not take the place of', () => {
  /** A clipboard with a text that the customer has, and that this window may not write to. */
  async function follow() {
    const opened = open({
      readText: () => Promise.resolve('mine'),
      writeText: () => Promise.reject(new Error('not focused')),
    });
    opened.clips.follows = true;
    await opened.clips.sendNew();
    return opened;
  }

  test("the customer's picture or text, where that could not be written here", async () => {
    const { sent, clips } = await follow();
    for (const what of [png(2, 2), 'theirs']) {
      await clips.receive(what);
      await clips.sendNew();
    }
    expect(sent).toEqual(['mine']);
  });

  test('a file that the customer copied', async () => {
    const { sent, clips } = await follow();
    clips.notCarried(false);
    await clips.sendNew();
    expect(sent).toEqual(['mine']);
  });

  test('what the customer copies while this clipboard is read', async () => {
    let read: ((text: string) => void) | undefined;
    const { sent, clips } = open({
      readText: () => new Promise((resolve) => (read = resolve)),
      writeText: () => Promise.resolve(),
    });
    const sending = clips.sendNew();
    await clips.receive('theirs');
    read?.('mine');
    await sending;
    expect(sent).toEqual([]);
  });
});

test('what was not carried is said, and no old text is kept for it', async () => {
  const local = { readText: () => Promise.resolve('x'), writeText: () => Promise.resolve() };
  const { field, said, clips } = open(local, 'too long');
  await clips.receive('old');
  clips.notCarried(true);
  expect([field.value, said.at(-1)]).toEqual(['', expect.stringContaining('copied a picture')]);
  clips.notCarried(false);
  expect(said.at(-1)).toContain('longer than 1 MiB');
  await clips.sendNew();
  expect(said.at(-1)).toContain('too long');
  clips.sendShown();
  expect(said.at(-1)).toContain('too long');
});

describe('pictures', () => {
  test("of the customer's take the place of a text, and can be copied here", async () => {
    const local = withPictures();
    const { field, preview, said, clips } = open(local);
    await clips.receive('a text');
    await clips.receive(png(2, 2));
    expect([field.value, Number(field.rows), preview.hidden, local.written]).toEqual(['', 1, false, 1]);
    await clips.copyShown();
    expect([local.written, said.at(-1)]).toEqual([2, expect.stringContaining('on your clipboard now')]);
    await clips.receive('a text');
    expect([field.value, preview.hidden]).toEqual(['a text', true]);
  });

  test('that take long to write do not end up over a newer text', async () => {
    let [kept, begun] = ['', false];
    let finish = (): void => undefined;
    vi.stubGlobal('ClipboardItem', Object);
    const { said, clips } = open({
      readText: () => Promise.resolve(kept),
      writeText: (text) => Promise.resolve(void (kept = text)),
      async write() {
        begun = true;
        await new Promise<void>((resolve) => (finish = resolve));
        kept = 'a picture';
      },
    });
    const picture = clips.receive(png(2, 2));
    await vi.waitFor(() => {
      expect(begun).toBe(true);
    });
    const text = clips.receive('newer');
    finish();
    await Promise.all([picture, text]);
    expect([kept, said.length]).toEqual(['newer', 1]);
  });

  test('are not sent back where the clipboards are kept the same', async () => {
    const { sent, clips } = open(withPictures());
    clips.follows = true;
    await clips.receive(png(2, 2));
    await clips.sendNew();
    expect(sent).toEqual([]);
  });

  test('that were copied here are sent once', async () => {
    const local = withPictures();
    await local.write?.([new ClipboardItem({ 'image/png': new Blob([png(3, 3)]) })]);
    const { sent, clips } = open(local);
    await clips.sendNew();
    await clips.sendNew();
    expect(sent.map((what) => what.length)).toEqual([34]);
  });

  test('that are pasted into the panel wait there until they are sent', async () => {
    const { field, preview, sent, said, clips } = open(undefined, 'too large');
    const paste = new Event('paste', { cancelable: true });
    const file = new File([png(2, 2)], 'a.png', { type: 'image/png' });
    Object.assign(paste, { clipboardData: { files: [file] } });
    field.dispatchEvent(paste);
    await vi.waitFor(() => {
      expect(said.at(-1)).toContain('Press "Send');
    });
    expect([paste.defaultPrevented, preview.hidden, sent.length]).toEqual([true, false, 0]);
    clips.sendShown();
    expect([sent.length, said.at(-1)]).toEqual([1, expect.stringContaining('too large')]);
  });

  test('that are too large are known by their bytes and by their pixels', () => {
    expect(isLarge(png(4096, 4096))).toBe(false);
    expect(isLarge(png(4097, 4096))).toBe(true);
    expect(isLarge(png(0xffff_ffff, 0xffff_ffff))).toBe(true);
    expect(isLarge(png(1, 1, 4 << 20))).toBe(true);
    expect(isLarge(new Uint8Array(3))).toBe(false);
  });
});

test('messages about pictures are told from those that noVNC knows', () => {
  const [caps, notify] = [1 << 24, 1 << 27];
  expect(meaningOf(0x1f00_8001)).toBe('asks for ours');
  expect(meaningOf(notify | TEXT)).toBe('other');
  expect(meaningOf(notify | PNG)).toBe('has a picture');
  expect(meaningOf(notify | 8)).toBe('has another picture');
  expect(meaningOf(notify)).toBe('has something else');
  expect(meaningOf(PROVIDE | PNG)).toBe('brings a picture');
  expect(meaningOf(PROVIDE | TEXT)).toBe('other');
  expect(meaningOf(REQUEST | TEXT)).toBe('other');
  expect([...message(PROVIDE | PNG, new Uint8Array([7]))]).toEqual([0x10, 0, 0x80, 0, 7]);
  expect([OURS.length, (OURS[0] ?? 0) & (caps >> 24)]).toEqual([12, 1]);
});
