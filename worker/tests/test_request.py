"""Bodies that are no task, whatever JSON can say."""

import json
import random
import string
from typing import Any

import pytest
from test_golden_messages import example

from safelight_worker.catalog import check_task
from safelight_worker.contract import MODELS, Refusal
from safelight_worker.request import parse_json, read_task


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\x00", b'{"a":1}}', b'{"a":NaN}', b"\xff\xfe", b'{"a":' + b"[" * 100_000, b"[" + b"9" * 5000 + b"]"],
    ids=["empty", "cut", "nul", "twice", "nan", "no utf-8", "deep", "long number"],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse_json(body)
    assert refused.value.code == "malformed_json"


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert parse_json(b'["\\ud83d", "\\ud83d\\ude00"]') == ["\ufffd", "\U0001f600"]


@pytest.mark.parametrize(("name", "value"), [("attempt", True), ("seed", False), ("deadline_s", True)])
def test_true_and_false_are_no_numbers(name: str, value: bool) -> None:
    body = {**example("worker-task-request.image.json"), name: value}
    with pytest.raises(Refusal) as refused:
        read_task(json.dumps(body).encode())
    assert (refused.value.fields or [{}])[0]["field"] == name


def test_fields_of_a_newer_gateway_are_passed_over() -> None:
    body = {**example("worker-task-request.image.json"), "colour": "red", "later": {"a": [1]}}
    assert check_task(read_task(json.dumps(body).encode())).model == "flux"


def test_defaults_are_filled_in_and_whole_numbers_are_whole() -> None:
    body = {**example("worker-task-request.image.json"), "parameters": {"width": 512.0}}
    checked = check_task(read_task(json.dumps(body).encode()))
    assert checked.parameters["width"] == 512
    assert isinstance(checked.parameters["width"], int)
    assert checked.parameters["height"] == 1024
    assert checked.parameters["output_format"] == "png"
    assert "seed" not in checked.parameters


def test_an_option_that_cannot_be_honoured_is_refused() -> None:
    limit = {"code": "format_unavailable", "parameter": "output_format", "options": ["png"], "detail": "No PNG here."}
    with pytest.raises(Refusal) as refused:
        check_task(read_task(json.dumps(example("worker-task-request.image.json")).encode()), lambda _model: [limit])
    field = {"field": "parameters.output_format", "code": "option_unavailable", "message": "No PNG here."}
    assert refused.value.fields == [field]


def test_nothing_that_json_can_say_raises_anything_but_a_refusal() -> None:
    draw = random.Random(6)
    names = sorted({parameter["name"] for model in MODELS for parameter in model["parameters"]})
    for _ in range(3000):
        body = example("worker-task-request.image.json")
        model = draw.choice(MODELS)
        body["model"], body["mode"] = model["id"], draw.choice(model["modes"])["id"]
        body["parameters"] = {draw.choice(names): _anything(draw, 3) for _ in range(draw.randrange(4))}
        if draw.random() < 0.3:
            body[draw.choice(list(body))] = _anything(draw, 3)
        try:
            check_task(read_task(json.dumps(body).encode()))
        except Refusal as refusal:
            assert refusal.fields


def _anything(draw: random.Random, depth: int) -> Any:
    plain = [None, True, 0, -1, 1.5, 10**18, "", "sha256-" + "0" * 64, "".join(draw.choices(string.printable, k=8))]
    if depth == 0 or draw.random() < 0.6:
        return draw.choice(plain)
    if draw.random() < 0.5:
        return [_anything(draw, depth - 1) for _ in range(draw.randrange(4))]
    keys = ["frame_index", "image", "strength", "x"]
    return {draw.choice(keys): _anything(draw, depth - 1) for _ in range(draw.randrange(4))}
