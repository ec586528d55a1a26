"""Judges a request against the catalog, by the same rules and with the same codes as the gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from safelight_worker.contract import CATALOG_VERSION, MODELS, Field, Json, Refusal, field_problem

_OUTSIDE = ("model", "mode", "type", "workspace", "prompt", "negative_prompt", "seed")
_ADDRESSES = frozenset({"model", "mode", "prompt", "negative_prompt", "seed"})
_IMAGE = re.compile(r"(sha256-[0-9a-f]{64}\Z|data:image/(png|jpeg|webp);base64,)")
_SINGLE_PICTURES = ("reference_image", "first_frame_image", "last_frame_image")
_KEYFRAMES = "arbitrary_frames"
_MOST_REPORTED = 50
_SHOWN_NAME = 80

Verdict = tuple[str, str] | None


@dataclass(frozen=True)
class Picture:
    """A picture that parameters name. `position` is its place in the parameter, `index` its frame, see Reference."""

    parameter: str
    position: int
    media_id: str
    index: int
    strength: float


@dataclass(frozen=True)
class CheckedTask:
    """A task that may run, given a slot and its pictures.

    `parameters` are those of the catalog with defaults, without prompts, seed and pictures; `as_sent` has the pictures
    too and is what a recipe is made of.
    """

    model: str
    type: str
    mode: str
    prompt: str
    negative_prompt: str
    seed: int
    parameters: Mapping[str, int | float | str]
    as_sent: Mapping[str, Any]
    pictures: Sequence[Picture]
    recipe: Mapping[str, Any]


def model_entry(model: str) -> Json | None:
    """The catalog's entry of a model by its id or an alias."""
    return next((entry for entry in MODELS if model == entry["id"] or model in entry["aliases"]), None)


def check_task(body: Json, limits: Callable[[str], Sequence[Json]] = lambda _model: ()) -> CheckedTask:
    """Judges a body of the right shape. `limits` are the options that cannot be honoured here. Errors: Refusal."""
    sent: Json = body["parameters"]
    misplaced = [name for name in _OUTSIDE if name in sent]
    _refuse_if(
        [
            field_problem(f"parameters.{name}", "unknown_parameter", "stands beside parameters, not in it")
            for name in misplaced
        ]
    )
    entry, mode = _pair(body)
    flat = {**sent, **{name: body[name] for name in _ADDRESSES}}
    in_force = [parameter for parameter in entry["parameters"] if mode in parameter["modes"]]
    _refuse_if([_renamed(field) for field in _faults(flat, entry, mode, in_force)])
    values = {parameter["name"]: _value(flat, parameter) for parameter in in_force}
    _refuse_if(_unavailable(values, limits(entry["id"])))
    pictures = _pictures(values)
    _refuse_if(_unlisted(pictures, body["media"]))
    beside = {"prompt", "negative_prompt", "seed"}
    as_sent = {name: value for name, value in values.items() if name not in beside and value is not None}
    shown = {*_SINGLE_PICTURES, _KEYFRAMES}
    return CheckedTask(
        model=entry["id"],
        type=entry["type"],
        mode=mode,
        prompt=body["prompt"],
        negative_prompt=body["negative_prompt"],
        seed=int(body["seed"]),
        parameters={name: value for name, value in as_sent.items() if name not in shown},
        as_sent=as_sent,
        pictures=pictures,
        recipe=body.get("recipe") or _recipe(body, as_sent),
    )


def _pair(body: Json) -> tuple[Json, str]:
    model = body["model"]
    entry = model_entry(model)
    if entry is None or entry["id"] != model:
        known = ", ".join(one["id"] for one in MODELS)
        message = f'There is no model "{_short(model)}". Choose one of {known}.'
        if entry is not None:
            message = f'Models are named by their id, not as "{_short(model)}".'
        raise Refusal("unknown_model", message, [{"field": "model", "code": "not_an_option", "message": message}])
    modes = [one["id"] for one in entry["modes"]]
    mode = body["mode"]
    if mode not in modes:
        message = f'{entry["id"]} has no mode "{_short(mode)}". Choose one of {", ".join(modes)}.'
        raise Refusal("unsupported_mode", message, [{"field": "mode", "code": "not_an_option", "message": message}])
    return entry, mode


def _faults(body: Json, entry: Json, mode: str, in_force: Sequence[Json]) -> list[Field]:
    faults: list[Field] = []
    required = next(one["requires"] for one in entry["modes"] if one["id"] == mode)
    for parameter in in_force:
        name = parameter["name"]
        if body.get(name, _ABSENT) is not _ABSENT:
            faults += _judge_parameter(parameter, body[name], body, in_force)
        elif parameter.get("required") or name in required:
            where = "" if parameter.get("required") else f" in mode {mode}"
            faults.append(field_problem(name, "required", f"is missing: it is required{where}"))
    return faults + list(_surplus(body, entry, mode, {parameter["name"] for parameter in in_force}))


_ABSENT = object()


def _surplus(body: Json, entry: Json, mode: str, known: set[str]) -> Iterator[Field]:
    count = 0
    for name in body:
        if name in known or name in ("model", "mode"):
            continue
        count += 1
        if count > _MOST_REPORTED:
            return
        elsewhere = next((one for one in entry["parameters"] if one["name"] == name), None)
        if elsewhere is None:
            short = _short(name)
            message = f'{entry["id"]} has no parameter "{short}".'
            yield {"field": short, "code": "unknown_parameter", "message": message}
        else:
            modes = ", ".join(elsewhere["modes"])
            yield field_problem(name, "wrong_mode", f"belongs to {modes} and cannot be sent in mode {mode}")


def _judge_parameter(parameter: Json, value: object, body: Json, in_force: Sequence[Json]) -> list[Field]:
    name = parameter["name"]
    if parameter["locked"]:
        if _same(value, parameter["default"]):
            return []
        return [field_problem(name, "locked", f"is fixed at {parameter['default']} for this model: leave it out")]
    if parameter["type"] == "keyframes":
        return _judge_keyframes(parameter, value, body, in_force)
    verdict = _judge(parameter, value)
    return [] if verdict is None else [field_problem(name, *verdict)]


def _judge(described: Json, value: object) -> Verdict:
    options = described.get("options")
    if options is not None:
        if any(_same(option, value) for option in options):
            return None
        return "not_an_option", f"must be one of {', '.join(json.dumps(option) for option in options)}"
    if described["type"] in ("integer", "number"):
        return _judge_number(described, value)
    if described["type"] == "image":
        return _judge_image(value)
    return _judge_text(described, value)


def _judge_number(described: Json, value: object) -> Verdict:
    whole = described["type"] == "integer"
    if not is_number(value) or (whole and not float(value).is_integer()):
        return "wrong_type", "must be a whole number" if whole else "must be a number"
    low, high = described.get("min"), described.get("max")
    if low is not None and value < low:
        return "below_minimum", f"must be at least {low}"
    if high is not None and value > high:
        return "above_maximum", f"must be at most {high}"
    start, step = low or 0, described.get("step", 1)
    if not whole or (value - start) % step == 0:
        return None
    return "not_a_step", f"must be {start} plus a multiple of {step}"


def _judge_text(described: Json, value: object) -> Verdict:
    if not isinstance(value, str):
        return "wrong_type", "must be text"
    most = described.get("max_length")
    if most is not None and len(value) > most:
        return "too_long", f"may have at most {most} characters"
    if described.get("not_blank") and not re.search(r"\S", value):
        return "blank", "must not be empty"
    least = described.get("min_length", 0)
    if len(value) < least:
        return "too_short", f"needs at least {least} characters"
    if "\0" in value:
        return "forbidden_character", "must not contain NUL characters"
    return None


def _judge_image(value: object) -> Verdict:
    if not isinstance(value, str):
        return "wrong_type", "must be text"
    if _IMAGE.match(value):
        return None
    return "pattern", "must be the id of an upload or a data URI of a PNG, JPEG or WebP picture"


def _judge_keyframes(parameter: Json, value: object, body: Json, in_force: Sequence[Json]) -> list[Field]:
    name = parameter["name"]
    if not isinstance(value, list):
        return [field_problem(name, "wrong_type", "must be a list")]
    least, most = parameter.get("min_items", 0), parameter.get("max_items")
    if len(value) < least:
        return [field_problem(name, "too_short", f"needs at least {least} entries")]
    if most is not None and len(value) > most:
        return [field_problem(name, "too_long", f"may have at most {most} entries")]
    faults = [fault for at, item in enumerate(value) for fault in _judge_keyframe(parameter, item, f"{name}[{at}]")]
    if faults:
        return faults
    return [
        fault
        for field in parameter["fields"]
        for fault in (*_duplicates(name, field, value), *_beyond(name, field, value, body, in_force))
    ]


def _judge_keyframe(parameter: Json, item: object, path: str) -> list[Field]:
    if not isinstance(item, dict):
        return [field_problem(path, "wrong_type", "must be an object")]
    faults: list[Field] = []
    names = [field["name"] for field in parameter["fields"]]
    for field in parameter["fields"]:
        at = f"{path}.{field['name']}"
        if field["name"] not in item:
            if field.get("required"):
                faults.append(field_problem(at, "required", "is missing"))
            continue
        verdict = _judge(field, item[field["name"]])
        if verdict is not None:
            faults.append(field_problem(at, *verdict))
    if any(name not in names for name in item):
        faults.append(field_problem(path, "unknown_parameter", f"takes only {', '.join(names)}"))
    return faults


def _duplicates(name: str, field: Json, items: Sequence[Json]) -> Iterator[Field]:
    if not field.get("distinct"):
        return
    seen: set[object] = set()
    for at, item in enumerate(items):
        value = item.get(field["name"])
        if value is not None and value in seen:
            path = f"{name}[{at}].{field['name']}"
            yield field_problem(path, "duplicate", "must differ from that of every other entry")
        seen.add(value)


def _beyond(name: str, field: Json, items: Sequence[Json], body: Json, in_force: Sequence[Json]) -> Iterator[Field]:
    other = next((one for one in in_force if one["name"] == field.get("less_than")), None)
    if other is None:
        return
    limit = body.get(other["name"], other.get("default"))
    # A wrong limit is an error of its own; measuring by it would only add another.
    if not is_number(limit) or _judge(other, limit) is not None:
        return
    for at, item in enumerate(items):
        value = item.get(field["name"])
        if is_number(value) and value >= limit:
            path = f"{name}[{at}].{field['name']}"
            yield field_problem(path, "out_of_range", f"must be smaller than {other['name']}, {limit}")


def _value(body: Json, parameter: Json) -> Any:
    value = body.get(parameter["name"], parameter.get("default"))
    fields = parameter.get("fields")
    if fields is not None and isinstance(value, list):
        return [
            {field["name"]: _typed(field, item.get(field["name"], field.get("default"))) for field in fields}
            for item in value
        ]
    return _typed(parameter, value)


def _typed(described: Json, value: Any) -> Any:
    return int(value) if described["type"] == "integer" and is_number(value) else value


def _pictures(values: Json) -> list[Picture]:
    found: list[Picture] = []
    for parameter in _SINGLE_PICTURES:
        media_id = values.get(parameter)
        if isinstance(media_id, str):
            index, strength = _place(values, parameter)
            found.append(Picture(parameter, 0, media_id, index, strength))
    for position, frame in enumerate(values.get(_KEYFRAMES) or []):
        found.append(Picture(_KEYFRAMES, position, frame["image"], frame["frame_index"], float(frame["strength"])))
    return found


def _place(values: Json, parameter: str) -> tuple[int, float]:
    if parameter == "first_frame_image":
        return 0, float(values.get("first_strength", 1))
    if parameter == "last_frame_image":
        return int(values["num_frames"]) - 1, float(values.get("last_strength", 1))
    return 0, float(values.get("reference_strength", 1))


def _unlisted(pictures: Sequence[Picture], media: Sequence[Json]) -> list[Field]:
    listed = {one["id"] for one in media}
    names = [
        f"{one.parameter}[{one.position}].image" if one.parameter == _KEYFRAMES else one.parameter
        for one in pictures
        if one.media_id not in listed
    ]
    return [
        field_problem(f"parameters.{name}", "unknown_media", "names a picture that is not listed in media")
        for name in names
    ]


def _unavailable(values: Json, limits: Sequence[Json]) -> list[Field]:
    return [
        {"field": f"parameters.{limit['parameter']}", "code": "option_unavailable", "message": limit["detail"]}
        for limit in limits
        if str(values.get(limit.get("parameter", ""))) in limit.get("options", ())
    ]


def _recipe(body: Json, parameters: Json) -> dict[str, Any]:
    own = {name: body[name] for name in ("prompt", "negative_prompt", "model", "mode")}
    return {**own, "parameters": dict(parameters), "seed": body["seed"], "catalog_version": CATALOG_VERSION}


def _renamed(field: Field) -> Field:
    name = field["field"]
    return field if name in _ADDRESSES else {**field, "field": f"parameters.{name}"}


def _refuse_if(fields: Sequence[Field]) -> None:
    if not fields:
        return
    code = "parameter_locked" if all(field["code"] == "locked" for field in fields) else "validation_failed"
    detail = " ".join(field["message"] for field in fields[:3])
    raise Refusal(code, detail, fields[:_MOST_REPORTED])


def _same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN_NAME else f"{name[:_SHOWN_NAME]}…"


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number of JSON: true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
