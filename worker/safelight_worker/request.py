"""Reads a task out of the bytes of a request and judges its shape; what the catalog says of it comes afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from safelight_worker.catalog import is_number
from safelight_worker.contract import DEADLINE_SECONDS, MEDIA_BYTES, MEDIA_TYPES, Field, Json, Refusal, field_problem

TASK_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_ID = re.compile(r"sha256-[0-9a-f]{64}")
_MOST_MEDIA = 64
_MOST_ATTEMPTS = 1_000_000
_LARGEST_SEED = 2**31 - 1
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. Halves of characters become the replacement character. Errors: `malformed_json`."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal("malformed_json", "The body cannot be read as JSON.") from None
    return _whole_characters(value) if _HALF_CHARACTER.search(body) else value


def read_task(body: bytes) -> Json:
    """The task in a request body. Whole numbers are int. Errors: `malformed_json`, `validation_failed`."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise _refusal([field_problem("body", "wrong_type", "must be an object")])
    faults = [*_named(value), *_counted(value), *_held(value)]
    if faults:
        raise _refusal(faults)
    return {**value, "attempt": int(value["attempt"]), "seed": int(value["seed"])}


def _named(body: Json) -> list[Field]:
    faults = [_text(body, name) for name in ("task_id", "model", "mode", "prompt", "negative_prompt")]
    found = [fault for fault in faults if fault is not None]
    task_id = body.get("task_id")
    if isinstance(task_id, str) and not TASK_ID.fullmatch(task_id):
        found.append(field_problem("task_id", "pattern", "does not have the expected form"))
    return found


def _counted(body: Json) -> list[Field]:
    faults = [
        judge_number("attempt", body.get("attempt"), 1, _MOST_ATTEMPTS, whole=True),
        judge_number("seed", body.get("seed"), 0, _LARGEST_SEED, whole=True),
        judge_number("deadline_s", body.get("deadline_s"), 0.1, DEADLINE_SECONDS),
    ]
    return [fault for fault in faults if fault is not None]


def _held(body: Json) -> list[Field]:
    faults: list[Field] = []
    for name, kind, words in (("parameters", dict, "an object"), ("media", list, "a list")):
        if name not in body:
            faults.append(field_problem(name, "required", "is missing"))
        elif not isinstance(body[name], kind):
            faults.append(field_problem(name, "wrong_type", f"must be {words}"))
    if "recipe" in body and not isinstance(body["recipe"], dict):
        faults.append(field_problem("recipe", "wrong_type", "must be an object"))
    media = body.get("media")
    if isinstance(media, list):
        if len(media) > _MOST_MEDIA:
            faults.append(field_problem("media", "too_long", f"may have at most {_MOST_MEDIA} entries"))
        faults += [fault for at, item in enumerate(media[:_MOST_MEDIA]) for fault in _medium(f"media.{at}", item)]
    return faults


def _medium(path: str, item: object) -> list[Field]:
    if not isinstance(item, dict):
        return [field_problem(path, "wrong_type", "must be an object")]
    faults: list[Field] = []
    media_id = item.get("id")
    if not isinstance(media_id, str) or not _MEDIA_ID.fullmatch(media_id):
        faults.append(field_problem(f"{path}.id", "pattern", "does not have the expected form"))
    if item.get("content_type") not in MEDIA_TYPES:
        faults.append(
            field_problem(f"{path}.content_type", "not_an_option", f"must be one of {', '.join(MEDIA_TYPES)}")
        )
    size = judge_number(f"{path}.bytes", item.get("bytes"), 1, MEDIA_BYTES, whole=True)
    return faults if size is None else [*faults, size]


def _text(body: Json, name: str) -> Field | None:
    if name not in body:
        return field_problem(name, "required", "is missing")
    return None if isinstance(body[name], str) else field_problem(name, "wrong_type", "must be text, given once")


def judge_number(name: str, value: object, low: float, high: float, whole: bool = False) -> Field | None:
    """What is wrong with a number that has to lie in low..high; None stands for a missing one."""
    if value is None:
        return field_problem(name, "required", "is missing")
    if not is_number(value) or (whole and not float(value).is_integer()):
        return field_problem(name, "wrong_type", f"must be a {'whole ' if whole else ''}number")
    if value < low:
        return field_problem(name, "below_minimum", f"must be at least {low}")
    if value > high:
        return field_problem(name, "above_maximum", f"must be at most {high}")
    return None


def _refusal(faults: list[Field]) -> Refusal:
    return Refusal("validation_failed", " ".join(fault["message"] for fault in faults[:3]), faults)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, Mapping):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value
