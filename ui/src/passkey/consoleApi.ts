/** What the step is for. */
export interface Offer {
  /** In words: "Sign in as Anna Keller". */
  text: string;
  do: 'register' | 'sign_in';
}

/** The task that Deskhand gives this page once the person goes on. */
export interface Task extends Offer {
  api_url: string;
  api_key: string;
  register_token?: string;
  user_id?: string;
  nickname?: string;
}

/** Why no passkey was used. */
export type Why = 'cancelled' | 'unsupported' | 'failed';

/** The calls that this page can make to Deskhand. Each of them rejects with a `Refusal`. */
export interface ConsoleApi {
  /** Uses nothing up. */
  offer(state: string): Promise<Offer>;
  begin(state: string): Promise<Task>;
  done(state: string, token: string): Promise<void>;
  failed(state: string, why: Why): Promise<void>;
}

/** Why Deskhand refused a call, and what to do about it. */
export class Refusal extends Error {
  constructor(
    readonly text: string,
    readonly remedy: string,
  ) {
    super(text);
  }
}

/** The Deskhand that served this page. */
export function consoleApi(send: typeof fetch): ConsoleApi {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await send(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }).catch(() => {
      throw NO_ANSWER;
    });
    const reply: unknown = await answer.json().catch(() => null);
    if (isRefusal(reply)) throw new Refusal(reply.text, reply.remedy);
    if (!answer.ok) throw NO_ANSWER;
    return reply;
  };
  return {
    offer: async (state) => {
      const offer = await post('/offer', { state });
      if (!isOffer(offer)) throw NO_ANSWER;
      return offer;
    },
    begin: async (state) => {
      const task = await post('/begin', { state });
      if (!isTask(task)) throw NO_ANSWER;
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

const NO_ANSWER = new Refusal(
  'Deskhand doesn’t answer: it was ended, or it has given this step up.',
  'Go back to Deskhand and begin again there.',
);

function isRefusal(reply: unknown): reply is { text: string; remedy: string } {
  return has(reply, 'text') && has(reply, 'remedy');
}

function isOffer(reply: unknown): reply is Offer {
  return has(reply, 'text') && has(reply, 'do') && (reply.do === 'sign_in' || reply.do === 'register');
}

function isTask(reply: unknown): reply is Task {
  const named = isOffer(reply) && has(reply, 'api_url') && has(reply, 'api_key');
  return named && (reply.do === 'sign_in' || has(reply, 'register_token'));
}

function has<K extends string>(reply: unknown, key: K): reply is Record<K, string> {
  return (
    typeof reply === 'object' && reply !== null && typeof (reply as Record<K, unknown>)[key] === 'string'
  );
}
