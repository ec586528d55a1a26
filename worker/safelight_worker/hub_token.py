"""Whether the token for downloads can do more than read; such a token is not used.

The hub is asked what it knows of the token. What it does not say is not taken for granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight_worker.hub import Hub

Verdict = Literal["ok", "can_write", "invalid", "unknown"]


def judge(answer: object) -> Verdict:
    """Judges the documented answer of `whoami-v2`."""
    token = _field(_field(answer, "auth"), "accessToken")
    role = _field(token, "role")
    if role == "read":
        return "ok"
    if role == "write":
        return "can_write"
    fine = _field(token, "fineGrained")
    scoped, rights = _field(fine, "scoped"), _field(fine, "global") or []
    if role != "fineGrained" or not isinstance(scoped, list) or not isinstance(rights, list):
        return "unknown"
    for scope in scoped:
        some = _field(scope, "permissions")
        if not isinstance(some, list):
            return "unknown"
        rights = [*rights, *some]
    if not all(isinstance(right, str) for right in rights):
        return "unknown"
    # Only what says that it reads counts as reading: rights that come later are not taken for harmless.
    return "ok" if all(right == "read" or right.endswith(".read") for right in rights) else "can_write"


def ask(hub: Hub) -> Verdict:
    """What the hub says of the token that this connection uses."""
    url = f"{hub.endpoint}/api/whoami-v2"
    try:
        answer = hub.client.get(url, headers=hub.headers(url))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return "invalid"
        return judge(answer.json()) if answer.is_success else "unknown"
    except (httpx.HTTPError, ValueError):
        return "unknown"


def refusal(verdict: Verdict, environment: Mapping[str, str]) -> str | None:
    """Why the token is not used; None where it is. In production what cannot be checked is not used either."""
    if verdict == "can_write":
        return "HF_TOKEN can do more than read: make one that can only read the repositories of the models."
    if verdict == "invalid":
        return "The hub does not know HF_TOKEN: make another one."
    if verdict == "unknown" and environment.get("SAFELIGHT_ENV") == "prod":
        return "What HF_TOKEN may do cannot be found out, and in production it has to be."
    return None


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
