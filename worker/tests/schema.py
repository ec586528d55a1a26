"""Judges a message by the document of the protocol: those keywords of JSON Schema that it uses, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from places import REPOSITORY

DOCUMENT: Mapping[str, Any] = json.loads((REPOSITORY / "contract" / "worker-openapi.json").read_text(encoding="utf-8"))
SCHEMAS: Mapping[str, Any] = DOCUMENT["components"]["schemas"]

_KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
_SAYS_NOTHING = {"description", "title", "examples", "default", "contentEncoding"}
_KNOWN = {
    "$ref",
    "allOf",
    "anyOf",
    "enum",
    "const",
    "format",
    "items",
    "maxItems",
    "maximum",
    "minimum",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "type",
}


def faults(value: Any, schema: Mapping[str, Any], path: str = "", whole: bool = True) -> Iterator[str]:
    """What a value violates, with its place.

    With `whole` a property that the schema does not name is a fault too: receivers pass over such properties, but what
    is sent from here has to be described.
    """
    unknown = set(schema) - _KNOWN - _SAYS_NOTHING
    assert not unknown, f"this judge does not know {unknown}"
    if "$ref" in schema:
        yield from faults(value, SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], path)
        return
    for one in schema.get("allOf", ()):
        yield from faults(value, one, path, whole="$ref" in one)
    if "anyOf" in schema and not any(not list(faults(value, one, path)) for one in schema["anyOf"]):
        yield f"{path}: {value!r} is none of what it may be"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "type" in schema and not _is_a(value, schema["type"]):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from _faults_of_object(value, schema, path, whole)
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{path}: too many"
        for at, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{path}[{at}]")
    elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: {value!r} does not match"
    elif isinstance(value, int | float) and not (schema.get("minimum", value) <= value <= schema.get("maximum", value)):
        yield f"{path}: {value!r} is out of range"


def _faults_of_object(value: Mapping[str, Any], schema: Mapping[str, Any], path: str, whole: bool) -> Iterator[str]:
    properties = schema.get("properties", {})
    others = schema.get("patternProperties", {})
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        known = [properties[name]] if name in properties else [s for p, s in others.items() if re.search(p, name)]
        if whole and not known and (properties or others):
            yield f"{path}.{name} is not described"
        for one in known:
            yield from faults(inner, one, f"{path}.{name}")


def _is_a(value: Any, kinds: str | list[str]) -> bool:
    if isinstance(kinds, list):
        return any(_is_a(value, kind) for kind in kinds)
    return isinstance(value, _KINDS[kinds]) and (kinds == "boolean" or not isinstance(value, bool))


def fits(value: Any, name: str) -> None:
    """Fails when a message is not what the document calls `name`."""
    assert list(faults(value, SCHEMAS[name])) == []


def answered_as_described(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Fails when an answer is none that the document describes for the address."""
    pattern = next((one for one in DOCUMENT["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)), None)
    operation = {} if pattern is None else DOCUMENT["paths"][pattern].get(method.lower(), {})
    if operation:
        content = operation["responses"][str(status)].get("content", {})
        assert content_type in content if content else body == b"", (method, path, status, content_type)
        schema = content.get(content_type, {}).get("schema", {})
    else:
        schema = {"$ref": "#/WorkerProblem"}
    if content_type.endswith("json"):
        assert list(faults(json.loads(body), schema)) == [], (method, path, status)
