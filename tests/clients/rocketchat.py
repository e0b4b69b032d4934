"""Drives Rocket.Chat's Python client against the sandbox; crates/sandbox/tests/official_rocketchat.rs runs it.

Standard input: one line of JSON with url, user_id, token, code, session, user and password.
Whatever is not as it should be ends it with an AssertionError.
"""

import json
import sys

import requests
from rocketchat_API.APIExceptions.RocketExceptions import (
    RocketApiException,
    RocketAuthenticationException,
    RocketBadStatusCodeException,
)
from rocketchat_API.rocketchat import RocketChat

GIVEN = json.loads(sys.stdin.readline())
URL = GIVEN["url"]


def client(**named):
    """A proxy of the environment knows nothing of this computer's own servers."""
    session = requests.Session()
    session.trust_env = False
    return RocketChat(server_url=URL, session=session, **named)


def fails_with(status, error_type, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except RocketApiException as failed:
        assert (failed.status_code, failed.error_type) == (status, error_type), failed
        return failed
    raise AssertionError("%s was not refused" % (arguments,))


# Nobody.
try:
    client(user_id=GIVEN["user_id"], auth_token="wrong").me()
    raise AssertionError("a wrong token was taken")
except RocketBadStatusCodeException as refused:
    assert refused.status_code == 401, refused
    assert refused.response_json["status"] == "error", refused
try:
    client(user=GIVEN["user"], password="wrong")
    raise AssertionError("a wrong password was taken")
except RocketAuthenticationException:
    pass

# The help desk, by its token.
desk = client(user_id=GIVEN["user_id"], auth_token=GIVEN["token"])
assert desk.info()["success"]
assert desk.me()["username"] == "deskhand"
people = list(desk.users_list())
assert len(people) == 13, people
assert desk.users_info(username=GIVEN["user"])["user"]["username"] == GIVEN["user"]

# The second factor: asked for, wrong, right, remembered.
info = {"sessionId": GIVEN["session"]}
needed = fails_with(400, "totp-required", desk.call_api_get, "sessions/info.admin", **info)
assert needed.response_json["details"]["availableMethods"] == ["totp"], needed
desk.headers["x-2fa-code"] = "12345"
fails_with(400, "totp-invalid", desk.call_api_get, "sessions/info.admin", **info)
desk.headers["x-2fa-code"] = GIVEN["code"]
found = desk.call_api_get("sessions/info.admin", **info)
assert found["sessionId"] == found["_id"] == GIVEN["session"] and found["_user"]["username"], found
del desk.headers["x-2fa-code"]
assert desk.call_api_get("sessions/info.admin", **info) == found

# The list in pages, then log one out.
first = desk.call_api_get("sessions/list.all", count=20, offset=0)
rest = desk.call_api_get("sessions/list.all", count=20, offset=20)
ids = {row["sessionId"] for row in first["sessions"] + rest["sessions"]}
# Signing in makes a login session, but the wrong password made none.
assert first["total"] == len(ids) == 30 and GIVEN["session"] in ids, first["total"]
assert desk.call_api_post("sessions/logout", **info)["sessionId"] == GIVEN["session"]
gone = fails_with(404, None, desk.call_api_get, "sessions/info.admin", **info)
assert gone.error == "Session not found", gone
fails_with(400, "invalid-params", desk.call_api_get, "sessions/info.admin")

# A person without permission, by password: their own sessions only.
person = client(user=GIVEN["user"], password=GIVEN["password"])
own = person.call_api_get("sessions/list")
assert own["total"] >= 1 and all("_user" not in row for row in own["sessions"]), own
fails_with(403, None, person.call_api_get, "sessions/list.all")
newest = own["sessions"][0]["sessionId"]
assert person.call_api_get("sessions/info", sessionId=newest)["sessionId"] == newest
assert person.logout()["status"] == "success"

# Ten calls a minute for each route.
try:
    for _ in range(11):
        desk.call_api_get("sessions/list")
    raise AssertionError("there is no limit")
except RocketApiException as limited:
    assert limited.status_code == 429 and "[error-too-many-requests]" in limited.error, limited

print("the client is content")
