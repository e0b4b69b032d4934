"""One call of the official Python client: `python3 passwordless_calls.py CALL JSON`, with the secret and the
address in the environment. Prints {"ok": ...} or {"problem": ...}."""

import json
import os
import sys
from dataclasses import asdict

import passwordless

client = passwordless.PasswordlessClientBuilder(
    passwordless.PasswordlessOptions(
        os.environ["PASSWORDLESS_SECRET"], os.environ["PASSWORDLESS_URL"]
    )
).build()


def verified(user):
    return {"success": user.success, "userId": user.user_id, "type": user.type, "rpId": user.rp_id}


def listed(credential):
    return {"descriptor": {"id": credential.descriptor.id}, "rpid": credential.rp_id}


CALLS = {
    "register_token": lambda asked: client.register_token(
        passwordless.RegisterToken(
            asked["userId"], asked["username"], aliases=asked.get("aliases", [])
        )
    ).token,
    "verify": lambda asked: verified(client.sign_in(passwordless.VerifySignIn(asked["token"]))),
    "credentials": lambda asked: [
        listed(credential) for credential in client.get_credentials(asked["userId"])
    ],
    "set_aliases": lambda asked: client.set_alias(
        passwordless.SetAlias(asked["userId"], asked["aliases"], asked["hashing"])
    ),
    "delete": lambda asked: client.delete_credential(
        passwordless.DeleteCredential(asked["id"])
    ),
}

call, asked = sys.argv[1:]
try:
    print(json.dumps({"ok": CALLS[call](json.loads(asked))}))
except passwordless.PasswordlessError as error:
    print(json.dumps({"problem": asdict(error.problem_details)}))
