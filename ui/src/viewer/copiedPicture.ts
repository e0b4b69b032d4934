import type { Png } from './clipboard';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** What the customer's program takes at most: `Png` in crates/rfb. */
const MOST_BYTES = 4 << 20;
const MOST_PIXELS = 4096 * 4096;

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, at) => bytes[at] === byte);
}

/** Whether a PNG has more bytes or pixels than are carried. */
export function isLarge(png: Uint8Array): boolean {
  // Width and height are in the first chunk, after its length and its name.
  if (png.length < 24) return false;
  const header = new DataView(png.buffer, png.byteOffset + 16, 8);
  return png.length > MOST_BYTES || header.getUint32(0) * header.getUint32(4) > MOST_PIXELS;
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** A picture of any kind that this browser knows, as PNG; null if it knows none of it. */
export async function pngOf(picture: Blob): Promise<Png | null> {
  const bytes = new Uint8Array(await picture.arrayBuffer());
  if (isPng(bytes)) return bytes;
  const bitmap = await createImageBitmap(picture).catch(() => null);
  if (!bitmap) return null;
  const canvas = document.createElement('canvas');
  draw(canvas, bitmap, bitmap.width, bitmap.height);
  const png = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  return png && new Uint8Array(await png.arrayBuffer());
}

/** Shows a picture, whole, so that it can be copied from there too, with the name that a screen reader tells. */
export async function drawPreview(preview: HTMLElement, png: Png): Promise<void> {
  const bitmap = await createImageBitmap(new Blob([png], { type: 'image/png' })).catch(() => null);
  if (!bitmap) return;
  const { width, height } = bitmap;
  const canvas = document.createElement('canvas');
  draw(canvas, bitmap, width, height);
  preview.replaceChildren(canvas);
  preview.setAttribute('aria-label', `A picture of ${String(width)} by ${String(height)} pixels`);
}

function draw(canvas: HTMLCanvasElement, bitmap: ImageBitmap, width: number, height: number): void {
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
}
