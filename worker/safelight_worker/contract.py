"""What gateway and workers have agreed on: versions, limits, codes and the catalog, out of `contract.json`.

The file is made from the contract's and the catalog's source by `npm run generate`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_FILE: Mapping[str, Any] = json.loads(files("safelight_worker").joinpath("contract.json").read_text(encoding="utf-8"))

PROTOCOL: int = _FILE["protocol"]
CATALOG_VERSION: str = _FILE["catalog_version"]
MEDIA_TYPES: tuple[str, ...] = tuple(_FILE["media_types"])

_LIMITS: Mapping[str, int] = _FILE["limits"]
MEDIA_BYTES = _LIMITS["mediaBytes"]
BODY_BYTES = _LIMITS["bodyBytes"]
WAIT_SECONDS = _LIMITS["waitSeconds"]
DEADLINE_SECONDS = _LIMITS["deadlineSeconds"]
PREVIEW_BYTES = _LIMITS["previewBytes"]

MODELS: Sequence[Mapping[str, Any]] = tuple(_FILE["models"])

Json = Mapping[str, Any]
Field = dict[str, str]


@dataclass(frozen=True)
class ErrorMeaning:
    """What a code of a refusal stands for."""

    status: int
    title: str
    user_action: str


ERROR_CODES: Mapping[str, ErrorMeaning] = {
    code: ErrorMeaning(meaning["status"], meaning["title"], meaning["user_action"])
    for code, meaning in _FILE["error_codes"].items()
}
TASK_ERROR_RETRYABLE: Mapping[str, bool] = {
    code: meaning["retryable"] for code, meaning in _FILE["task_error_codes"].items()
}

_MOST_FIELDS = 50


class Refusal(Exception):
    """A request is refused: a code of the contract, a text that the gateway may read, and the fields at fault."""

    def __init__(
        self,
        code: str,
        detail: str,
        fields: Sequence[Field] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = fields
        self.headers = dict(headers or {})

    def problem(self, instance: str, correlation_id: str) -> dict[str, Any]:
        """The refusal in the form of RFC 9457. `instance` is the path of the request."""
        meaning = ERROR_CODES[self.code]
        body: dict[str, Any] = {
            "type": f"urn:safelight:worker-problem:{self.code.replace('_', '-')}",
            "title": meaning.title,
            "status": meaning.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "user_action": meaning.user_action,
            "correlation_id": correlation_id,
        }
        if self.fields is not None:
            body["errors"] = [dict(field) for field in self.fields[:_MOST_FIELDS]]
        return body


def task_error(code: str, detail: str, retryable: bool | None = None) -> dict[str, Any]:
    """Why a task failed; whether another attempt has a chance follows from the code unless it is known better."""
    chance = TASK_ERROR_RETRYABLE[code] if retryable is None else retryable
    return {"code": code, "detail": detail, "retryable": chance}


def field_problem(field: str, code: str, explanation: str) -> Field:
    """One field at fault; the message begins with its name."""
    return {"field": field, "code": code, "message": f"{field} {explanation}."}
