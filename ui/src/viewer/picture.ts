import { saveFile } from '../shared/save';

/** Bytes of the largest picture that the app takes: `LARGEST_PICTURE` in its crate. */
const LARGEST = 32 << 20;

/** Why a picture can't be saved; null if it can. Checked before the customer is told of it. */
export function tooLarge(picture: Blob, app: boolean): string | null {
  return app && picture.size > LARGEST
    ? 'The picture was not saved: it is larger than 32 MB. Save it from the page in a browser.'
    : null;
}

/** Keeps a picture of the screen: in the app with its session, elsewhere as a download. Returns the outcome in words. */
export async function keep(picture: Blob, app: boolean): Promise<string> {
  if (!app) {
    saveFile(picture, `screen-${stamp(new Date())}.png`);
    return 'The picture was downloaded. The customer has been told.';
  }
  const headers = { 'content-type': 'image/png' };
  const answer = await fetch('picture', { method: 'POST', headers, body: picture }).catch(() => null);
  return answer?.ok
    ? 'The picture was saved to the session. The customer has been told.'
    : 'The picture was not saved: the app did not take it.';
}

/** The local time in a form that fits a file name. */
function stamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
