"""What the fuzzer has to know of Safelight beyond its document: who asks, which things there are, and what is always true of an answer."""

import hashlib
import json
import os

import requests
import schemathesis

URL = os.environ["FUZZ_URL"]
API_KEY = os.environ.get("FUZZ_API_KEY", "")
ADMIN_KEY = os.environ.get("FUZZ_ADMIN_KEY", "")
# Without keys everything that asks for one must refuse.
WITHOUT_KEYS = os.environ.get("FUZZ_WITHOUT_KEYS") == "1"
# Things that are there when it begins: path parameter to values.
KNOWN: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_KNOWN", "{}"))

# An answer may take as long as these routes are asked to wait; nobody learns more from waiting longer.
LONGEST_WAIT = 1

_sessions: dict[str, str] = {}


def _session(path: str, headers: dict[str, str]) -> str:
    """The cookie of a session; a new one after the last was ended."""
    if path not in _sessions:
        answer = requests.post(URL + path, headers=headers, timeout=30)
        _sessions[path] = answer.headers.get("set-cookie", "").split(";")[0]
    return _sessions[path]


def _schemes(case: schemathesis.Case) -> set[str]:
    return {name for one in case.operation.definition.raw.get("security", []) for name in one}


@schemathesis.hook
def before_load_schema(context, raw_schema) -> None:
    """The document calls a stream of events a text, as OpenAPI 3.1 has it; the fuzzer would judge each event by that."""
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for response in operation.get("responses", {}).values():
                response.get("content", {}).get("text/event-stream", {}).pop("schema", None)


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    schemes = _schemes(case)
    case.headers = dict(case.headers or {})
    case.query = dict(case.query or {})
    case.cookies = dict(case.cookies or {})
    # What the document calls a credential is never made up: a wrong one tells nothing of the route behind it.
    for name in ("X-API-Key", "X-Admin-Key", "Authorization", "Cookie", "x-api-key"):
        case.headers.pop(name, None)
    case.query.pop("api_key", None)
    case.cookies.clear()
    if "wait" in case.query and str(case.query["wait"]).isdigit():
        case.query["wait"] = min(int(case.query["wait"]), LONGEST_WAIT)
    _name_something(case)
    if WITHOUT_KEYS:
        return
    if "ApiKeyHeader" in schemes:
        case.headers["X-API-Key"] = API_KEY
    elif "AdminKeyHeader" in schemes:
        case.headers["X-Admin-Key"] = ADMIN_KEY
    elif "AdminCookie" in schemes:
        name, _, value = _session("/admin/session", {"X-Admin-Key": ADMIN_KEY}).partition("=")
        case.cookies[name] = value
    elif "SessionCookie" in schemes:
        name, _, value = _session("/auth/session", {}).partition("=")
        case.cookies[name] = value


def _name_something(case: schemathesis.Case) -> None:
    """Half of all paths name something that is there, chosen by what else is asked, so that a run can be repeated."""
    for name, values in KNOWN.items():
        given = (case.path_parameters or {}).get(name)
        if given is None:
            continue
        # One account stays as it is, so that tasks go on running.
        if name == "workspace" and case.method not in ("GET", "HEAD") and not case.operation.path.endswith("/health"):
            values = values[1:]
        drawn = hashlib.sha256(f"{case.operation.label} {given} {case.body!r}".encode(errors="replace")).digest()
        if drawn[0] % 2 == 0:
            case.path_parameters[name] = values[drawn[1] % len(values)]


@schemathesis.hook
def after_call(context, case, response) -> None:
    path = case.operation.path
    if path in ("/admin/session", "/auth/session") and case.method == "DELETE":
        _sessions.pop(path, None)
    if response.status_code == 401:
        _sessions.clear()


@schemathesis.check
def never_500(context, response, case) -> None:
    """No answer is our own fault, documented or not."""
    if response.status_code == 500:
        raise AssertionError(f"500: {response.text[:500]}")


@schemathesis.check
def one_form(context, response, case) -> None:
    """Every refusal is a problem with exactly one code, and the code has this status in the document."""
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind.split(";")[0] == "application/problem+json", f"a refusal of type {kind}"
    if case.method == "HEAD":
        return
    problem = response.json()
    for field in ("type", "title", "status", "detail", "instance", "code", "user_action", "correlation_id"):
        assert field in problem, f"a problem without {field}"
    assert problem["status"] == response.status_code, "a problem of another status"
    assert problem["type"] == "urn:safelight:problem:" + problem["code"].replace("_", "-"), "a problem of another type"
    assert response.headers.get("x-correlation-id", [""])[0] == problem["correlation_id"], "another correlation id"
    assert "api_key" not in problem["instance"], "a query in instance"


@schemathesis.check
def nobody_without_a_key(context, response, case) -> None:
    """Without a credential a protected route answers that one is missing, whatever else is wrong, unless nothing is there."""
    # A preflight is asked by browsers before they send any.
    if not WITHOUT_KEYS or not _schemes(case) or case.method == "OPTIONS":
        return
    # No such route is a 404; that there is no such task or account is nothing that a stranger learns.
    is_no_route = response.status_code == 404 and (case.method == "HEAD" or response.json()["code"] == "not_found")
    assert is_no_route or response.status_code in (401, 405), f"{response.status_code} without a key"
