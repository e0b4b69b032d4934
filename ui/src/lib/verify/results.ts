import Ban from '@lucide/svelte/icons/ban';
import CircleHelp from '@lucide/svelte/icons/circle-question-mark';
import CircleX from '@lucide/svelte/icons/circle-x';
import Loader from '@lucide/svelte/icons/loader-circle';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import ShieldX from '@lucide/svelte/icons/shield-x';
import Smartphone from '@lucide/svelte/icons/smartphone';
import TimerOff from '@lucide/svelte/icons/timer-off';
import TriangleAlert from '@lucide/svelte/icons/triangle-alert';
import type { VerificationState, Verified, VerifyHow } from '../ipc/bindings';
import type { IconAndTone } from '../sessions/state';

/** Each result's icon, tone and word. Only an approval is green. */
export const RESULTS: Record<VerificationState, IconAndTone & { word: string }> = {
  asking: { icon: Loader, tone: 'info', word: 'Sending' },
  no_answer_yet: { icon: Smartphone, tone: 'wait', word: 'No answer yet' },
  approved: { icon: ShieldCheck, tone: 'ok', word: 'Approved' },
  denied: { icon: ShieldX, tone: 'bad', word: 'Denied' },
  timed_out: { icon: TimerOff, tone: 'wait', word: 'Timed out' },
  cancelled: { icon: Ban, tone: 'quiet', word: 'Cancelled' },
  no_device: { icon: CircleX, tone: 'wait', word: 'No device' },
  failed: { icon: TriangleAlert, tone: 'bad', word: 'Failed' },
  unknown: { icon: CircleHelp, tone: 'wait', word: 'Unknown' },
};

/** What a result means and what to do next, where its word alone doesn't say it. */
export const MEANS: Partial<Record<VerificationState, string>> = {
  timed_out: 'Nobody answered in time. That is no denial: send it again, or ask for a code.',
  no_device: 'This person has no phone with LoginTC. Ask for a bypass code, or set the phone up first.',
  unknown: 'Deskhand ended while it waited: the phone may have shown it, and nobody knows what was answered.',
};

export const WHOM: Record<Verified, string> = { customer: 'Customer', technician: 'Technician' };

export const HOW: Record<VerifyHow, string> = {
  push: 'by push',
  otp: 'by one-time password',
  bypass_code: 'by bypass code',
};

export const waits = (state: VerificationState): boolean => state === 'asking' || state === 'no_answer_yet';

/** What a code is by its digits; none while it is neither. */
export function codeKind(typed: string): 'otp' | 'bypass_code' | null {
  const code = typed.replace(/[\s-]/g, '');
  if (!/^\d+$/.test(code)) return null;
  if (code.length === 9) return 'bypass_code';
  return code.length === 6 || code.length === 8 ? 'otp' : null;
}

/** A code in words, as it is being typed. */
export function codeWords(typed: string): string {
  const digits = typed.replace(/[\s-]/g, '');
  if (digits === '') return '6 or 8 digits: one-time password. 9 digits: bypass code.';
  if (!/^\d+$/.test(digits)) return 'A code has digits only.';
  switch (codeKind(typed)) {
    case 'otp':
      return `${digits.length} digits: a one-time password`;
    case 'bypass_code':
      return '9 digits: a bypass code';
    case null:
      return digits.length > 9
        ? `${digits.length} digits are too many`
        : `${digits.length} ${digits.length === 1 ? 'digit' : 'digits'} so far: 6, 8 or 9 are needed`;
  }
}
