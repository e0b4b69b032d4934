// One call of the official Node client: `node passwordless.mjs CALL JSON`, with the secret and the address in the
// environment. Prints {"ok": ...} or {"problem": ...}.
import { PasswordlessClient } from '@passwordlessdev/passwordless-nodejs';

const { PASSWORDLESS_SECRET: secret, PASSWORDLESS_URL: baseUrl } = process.env;
const client = new PasswordlessClient(secret, { baseUrl });
const bytes = (id) => Uint8Array.from(Buffer.from(id, 'base64url'));

const calls = {
  register_token: async (asked) => (await client.createRegisterToken(asked)).token,
  verify: ({ token }) => client.verifyToken(token),
  credentials: ({ userId }) => client.listCredentials(userId),
  set_aliases: async (asked) => (await client.setAliases(asked)).status,
  delete: async ({ id }) => (await client.deleteCredential(bytes(id))).status,
};

const [call, asked] = process.argv.slice(2);
try {
  console.log(JSON.stringify({ ok: await calls[call](JSON.parse(asked)) }));
} catch (error) {
  if (!error.details) throw error;
  console.log(JSON.stringify({ problem: error.details }));
}
