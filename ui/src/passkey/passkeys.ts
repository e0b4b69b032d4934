import { Client, isBrowserSupported } from '@passwordlessdev/passwordless-client';
import type { Task } from './consoleApi';

/** The outcome of the browser and of the passkey service. */
export type Outcome =
  | { is: 'token'; token: string }
  /** Cancelled, timed out, or no passkey fits: browsers don't tell which, on purpose. */
  | { is: 'cancelled' }
  /** This device has a passkey of this person already. */
  | { is: 'has_one' }
  /** This browser or device can't use one that fits. */
  | { is: 'unfit' }
  /** The task's token expired before it was used. */
  | { is: 'late' }
  /** The service doesn't know the passkey that was used. */
  | { is: 'unknown' }
  /** The service refuses the console's public key. */
  | { is: 'wrong_key' }
  | { is: 'unreachable' }
  | { is: 'failed' };

/** The browser's passkeys. */
export interface Passkeys {
  supported(): boolean;
  /** Asks the person. To be called from a click, since some browsers accept it from nowhere else. */
  ask(task: Task): Promise<Outcome>;
}

/** The part of the official client that is used here. */
export type Speaker = Pick<Client, 'register' | 'signinWithId' | 'signinWithDiscoverable'>;

/** Passkeys by the official client. */
export function official(make: (task: Task) => Speaker = speak): Passkeys {
  return {
    supported: isBrowserSupported,
    ask: async (task) => {
      const watched = watch(navigator.credentials);
      try {
        const answer = await carryOut(make(task), task);
        return answer.error ? judge(answer.error, watched.error()) : { is: 'token', token: answer.token };
      } catch {
        // For example an answer that isn't JSON, which the client doesn't expect.
        return { is: 'unreachable' };
      } finally {
        watched.end();
      }
    },
  };
}

const speak = (task: Task): Client => new Client({ apiUrl: task.api_url, apiKey: task.api_key });

function carryOut(client: Speaker, task: Task): ReturnType<Speaker['signinWithId']> {
  if (task.do === 'register') return client.register(task.register_token ?? '', task.nickname);
  return task.user_id ? client.signinWithId(task.user_id) : client.signinWithDiscoverable();
}

/** Remembers the name of an error: the client keeps only the text, which differs from browser to browser. */
function watch(credentials: CredentialsContainer | undefined): {
  error(): string | null;
  end(): void;
} {
  let seen: string | null = null;
  if (!credentials) return { error: () => null, end: () => undefined };
  const note = (error: unknown): never => {
    seen = error instanceof Error || error instanceof DOMException ? error.name : 'unnamed';
    throw error;
  };
  const { create, get } = credentials;
  credentials.create = (options) => create.call(credentials, options).catch(note);
  credentials.get = (options) => get.call(credentials, options).catch(note);
  const end = (): void => {
    credentials.create = create;
    credentials.get = get;
  };
  return { error: () => seen, end };
}

/** The outcome, by the error's name or code and never by its text. */
function judge(
  problem: { from?: string; errorCode?: string; status?: number },
  browser: string | null,
): Outcome {
  switch (browser) {
    case 'NotAllowedError':
    case 'AbortError':
      return { is: 'cancelled' };
    case 'InvalidStateError':
      return { is: 'has_one' };
    case 'NotSupportedError':
    case 'ConstraintError':
    case 'SecurityError':
      return { is: 'unfit' };
    case null:
      break;
    default:
      return { is: 'failed' };
  }
  // The browser's part succeeded, so the client can only have failed to reach the service.
  if (problem.from !== 'server') return { is: 'unreachable' };
  if (problem.status === 401) return { is: 'wrong_key' };
  switch (problem.errorCode) {
    case 'expired_token':
    case 'invalid_token':
      return { is: 'late' };
    case 'unknown_credential':
      return { is: 'unknown' };
    default:
      return { is: 'failed' };
  }
}
