"""Drives LoginTC's official Python client against the sandbox; crates/sandbox/tests/official_logintc.rs runs it.

Standard input: one line of JSON with host, key, domain, phone, user, user_id, deviceless, otp and bypass.
Whatever is not as it should be ends it with an AssertionError.
"""

import json
import sys
import urllib.request

import logintc

GIVEN = json.loads(sys.stdin.readline())
DOMAIN = GIVEN["domain"]


def press(session_id, approve):
    """Answers a push as the phone page does."""
    request = urllib.request.Request(
        "%s/pushes/%s" % (GIVEN["phone"], session_id),
        data=json.dumps({"approve": approve}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    # Not by urlopen: a proxy of the environment knows nothing of this computer's own servers.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert opener.open(request, timeout=60).status == 204


def fails_with(kind, call, *arguments, **named):
    """The exception of a call that must fail with exactly this kind."""
    try:
        answer = call(*arguments, **named)
    except logintc.LoginTCException as error:
        assert type(error) is kind, error
        return error
    raise AssertionError("it did not fail: %r" % (answer,))


def main():
    client = logintc.LoginTC(GIVEN["key"], host=GIVEN["host"], secure=False)
    assert client.get_ping() == {"status": "OK"}

    for approve, state in ((True, "approved"), (False, "denied")):
        attributes = [{"key": "IP Address", "value": "10.0.10.142"}]
        session = client.create_session(DOMAIN, username=GIVEN["user"], attributes=attributes)
        assert list(session) == ["id", "state"] and session["state"] == "pending", session
        assert client.get_session(DOMAIN, session["id"])["state"] == "pending"
        press(session["id"], approve)
        assert client.get_session(DOMAIN, session["id"])["state"] == state

    session = client.create_session(DOMAIN, user_id=GIVEN["user_id"], ip_address="10.0.10.142")
    assert client.delete_session(DOMAIN, session["id"]) is None
    gone = fails_with(logintc.APIException, client.get_session, DOMAIN, session["id"])
    assert gone.code == "api.error.notfound.session", gone.code

    session = client.create_session(DOMAIN, user_id=GIVEN["user_id"], otp=GIVEN["otp"])
    assert session["state"] == "approved", session
    session = client.create_session(DOMAIN, user_id=GIVEN["user_id"], otp=GIVEN["otp"])
    assert session["state"] == "denied", session
    session = client.create_session(
        DOMAIN, username=GIVEN["deviceless"], bypass_code=GIVEN["bypass"], otp="000000"
    )
    assert session["state"] == "approved", session

    fails_with(logintc.NoTokenException, client.create_session, DOMAIN, username=GIVEN["deviceless"])
    nobody = fails_with(logintc.APIException, client.create_session, DOMAIN, username="nobody")
    assert nobody.code == "api.error.notfound.user", nobody.code
    domain = fails_with(logintc.APIException, client.create_session, "0" * 40, username=GIVEN["user"])
    assert domain.code == "api.error.notfound.domain", domain.code
    stranger = logintc.LoginTC("a" * 64, host=GIVEN["host"], secure=False)
    key = fails_with(logintc.APIException, stranger.get_ping)
    assert key.code == "api.error.unauthorized", key.code

    print("logintc %s is content" % logintc.__version__)


main()
