import { Refusal, type ConsoleApi, type Offer, type Task, type Why } from './consoleApi';
import type { Outcome, Passkeys } from './passkeys';

/** What the page shows. */
export interface View {
  tone: 'plain' | 'busy' | 'good' | 'bad';
  heading: string;
  text: string;
  /** The one action that is offered. */
  button?: { label: string; press: () => void };
}

/** One step with a passkey: Deskhand says what it is for, the browser asks the person, Deskhand is told the outcome. */
export class Flow {
  constructor(
    private readonly state: string,
    private readonly api: ConsoleApi,
    private readonly passkeys: Passkeys,
    private readonly show: (view: View) => void,
  ) {}

  /** Loading the page asks only what the step is for: it begins with the person's click. */
  async load(): Promise<void> {
    if (this.state === '') {
      this.show(NO_STATE);
      return;
    }
    // Deskhand isn't told: the step goes on in a browser that can.
    if (!this.passkeys.supported()) {
      this.show(UNSUPPORTED);
      return;
    }
    this.show(STARTING);
    try {
      const offered = await this.api.offer(this.state);
      this.show(offer(offered, () => void this.#begin()));
    } catch (thrown) {
      this.show(refused(thrown));
    }
  }

  async #begin(): Promise<void> {
    this.show(STARTING);
    let task: Task;
    try {
      task = await this.api.begin(this.state);
    } catch (thrown) {
      this.show(refused(thrown));
      return;
    }
    await this.#ask(task);
  }

  async #ask(task: Task): Promise<void> {
    this.show(ASKING);
    const outcome = await this.passkeys.ask(task);
    if (outcome.is === 'token') {
      await this.#handBack(task, outcome.token);
      return;
    }
    const { why, ...view } = FAILURES[outcome.is];
    // Deskhand isn't told of a failure that another try with the same task may mend. After one that it is told
    // of, another try begins anew.
    if (why !== null) await this.#tell(why);
    const again = why === null ? () => void this.#ask(task) : () => void this.#begin();
    this.show({ tone: 'bad', ...view, button: { label: 'Try again', press: again } });
  }

  /** Called once only, since the token is used up whatever the outcome. */
  async #handBack(task: Task, token: string): Promise<void> {
    this.show(CHECKING);
    try {
      await this.api.done(this.state, token);
      this.show(task.do === 'register' ? MADE : SIGNED_IN);
    } catch (thrown) {
      this.show(refused(thrown));
    }
  }

  /** Ignores errors: what the page says is true even if Deskhand doesn't answer. */
  #tell(why: Why): Promise<void> {
    return this.api.failed(this.state, why).catch(() => undefined);
  }
}

function offer(task: Offer, press: () => void): View {
  const text =
    task.do === 'register'
      ? 'Your browser will offer to make a passkey: with this computer’s lock, a phone or a security key. Deskhand never sees it.'
      : 'Your browser will ask for your passkey, as you made it: with this computer’s lock, a phone or a security key.';
  return { tone: 'plain', heading: task.text, text, button: { label: 'Continue', press } };
}

function refused(thrown: unknown): View {
  const known = thrown instanceof Refusal;
  const text = known
    ? `${thrown.text} ${thrown.remedy}`.trim()
    : 'Go back to Deskhand and begin again there.';
  return { tone: 'bad', heading: 'This did not work', text };
}

const CLOSE = 'You can close this page and go back to Deskhand.';

const NO_STATE: View = {
  tone: 'bad',
  heading: 'This page is used up',
  text: 'It works once, and only as Deskhand opens it. Close it, go back to Deskhand and begin again there.',
};
const UNSUPPORTED: View = {
  tone: 'bad',
  heading: 'This browser can’t use passkeys',
  text: 'Copy the link in Deskhand, and open it in a browser that can: a current Firefox, Chrome or Edge.',
};
const STARTING: View = { tone: 'busy', heading: 'One moment', text: 'Asking Deskhand what this is for.' };
const ASKING: View = {
  tone: 'busy',
  heading: 'Your browser is asking',
  text: 'Follow what it shows. To stop, cancel there.',
};
const CHECKING: View = { tone: 'busy', heading: 'One moment', text: 'Deskhand is checking your passkey.' };
const MADE: View = { tone: 'good', heading: 'Your passkey is made', text: CLOSE };
const SIGNED_IN: View = { tone: 'good', heading: 'Your passkey is right', text: CLOSE };

/** `why` is what Deskhand is told; null where another try from this page may succeed. */
const FAILURES: Record<
  Exclude<Outcome['is'], 'token'>,
  { heading: string; text: string; why: Why | null }
> = {
  cancelled: {
    heading: 'No passkey was used',
    text: 'You cancelled, it took too long, or this browser has no passkey that fits. If your passkey isn’t offered here, copy the link in Deskhand and open it in the browser that has it.',
    why: 'cancelled',
  },
  has_one: {
    heading: 'There is a passkey on this device already',
    text: 'One of yours, so no second one was made. Go back to Deskhand and sign in with it, or begin again with another device.',
    why: 'failed',
  },
  unfit: {
    heading: 'This browser can’t use a passkey here',
    text: 'Copy the link in Deskhand and open it in another browser, or use another device or security key.',
    why: 'unsupported',
  },
  late: {
    heading: 'That took too long',
    text: 'What Deskhand had prepared is over. Try again; if it stays so, check this computer’s clock.',
    why: 'failed',
  },
  unknown: {
    heading: 'The passkey service doesn’t know this passkey',
    text: 'It was deleted, or belongs elsewhere. Try again with another one.',
    why: null,
  },
  wrong_key: {
    heading: 'The passkey service doesn’t accept this console',
    text: 'Its public key is wrong or was withdrawn. Correct it in Deskhand’s settings under Services.',
    why: 'failed',
  },
  unreachable: {
    heading: 'The passkey service can’t be reached',
    text: 'Check this computer’s network, then try again.',
    why: null,
  },
  failed: {
    heading: 'The passkey was not accepted',
    text: 'The browser or the passkey service refused it. Try again, if need be with another passkey.',
    why: 'failed',
  },
};
