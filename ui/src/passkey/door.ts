/** What Deskhand asks this page to do. */
export interface Task {
  /** In words: "Sign in as Anna Keller". */
  text: string;
  do: 'register' | 'sign_in';
  api_url: string;
  api_key: string;
  register_token?: string;
  user_id?: string;
  nickname?: string;
}

/** Why no passkey was used. */
export type Why = 'cancelled' | 'unsupported' | 'failed';

/** Deskhand, as this page reaches it. Each call rejects with a `Refusal`. */
export interface Door {
  begin(state: string): Promise<Task>;
  done(state: string, token: string): Promise<void>;
  failed(state: string, why: Why): Promise<void>;
}

/** Why Deskhand went no further, and what to do. */
export class Refusal extends Error {
  constructor(
    readonly text: string,
    readonly remedy: string,
  ) {
    super(text);
  }
}

/** Deskhand behind the address that this page came from. */
export function deskhand(send: typeof fetch): Door {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await send(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }).catch(() => {
      throw SILENT;
    });
    const told: unknown = await answer.json().catch(() => null);
    if (isRefusal(told)) throw new Refusal(told.text, told.remedy);
    if (!answer.ok) throw SILENT;
    return told;
  };
  return {
    begin: async (state) => {
      const task = await post('/begin', { state });
      if (!isTask(task)) throw SILENT;
      return task;
    },
    done: async (state, token) => {
      await post('/done', { state, token });
    },
    failed: async (state, why) => {
      await post('/failed', { state, why });
    },
  };
}

const SILENT = new Refusal(
  'Deskhand doesn’t answer: it was ended, or it has given this step up.',
  'Go back to Deskhand and begin again there.',
);

function isRefusal(told: unknown): told is { text: string; remedy: string } {
  return has(told, 'text') && has(told, 'remedy');
}

function isTask(told: unknown): told is Task {
  const named = has(told, 'text') && has(told, 'do') && has(told, 'api_url') && has(told, 'api_key');
  return named && (told.do === 'sign_in' || (told.do === 'register' && has(told, 'register_token')));
}

function has<K extends string>(told: unknown, key: K): told is Record<K, string> {
  return typeof told === 'object' && told !== null && typeof (told as Record<K, unknown>)[key] === 'string';
}
