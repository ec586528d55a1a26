"""Every parameter of every model and mode does something, or the run says that it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from heard import FRAMES, HEIGHT, WIDTH, Heard

from safelight_worker.catalog import _pictures
from safelight_worker.contract import MODELS
from safelight_worker.encode import CONTENT_TYPES
from safelight_worker.families import Job, Loaded, Reference

PAIRS = [(entry["id"], mode["id"]) for entry in MODELS for mode in entry["modes"]]
#: Sizes below those of the catalog, so that all of it takes seconds.
SMALL: dict[str, Any] = {"width": WIDTH, "height": HEIGHT, "num_frames": FRAMES, "steps": 4, "seed": 7}
OTHER: dict[str, Any] = {"width": 80, "height": 64, "num_frames": 13, "steps": 5, "seed": 8}
BESIDE = ("prompt", "negative_prompt", "seed")
PICTURES = ("reference_image", "first_frame_image", "last_frame_image")


def parameters_of(model: str, mode: str) -> dict[str, Any]:
    entry = next(entry for entry in MODELS if entry["id"] == model)
    return {one["name"]: one for one in entry["parameters"] if mode in one["modes"]}


def usual(name: str, parameter: Any) -> Any:
    """What stands there when nobody chooses anything; pictures are numbers of the pictures of these tests."""
    if parameter["type"] == "keyframes":
        return [{"frame_index": index, "image": number, "strength": 0.8} for number, index in enumerate((0, 5, 8))]
    if parameter["type"] == "image":
        return {"last_frame_image": 1}.get(name, 0)
    return SMALL.get(name, "a boat at sea" if name == "prompt" else parameter["default"])


def others(name: str, parameter: Any) -> Iterator[Any]:
    """Other values that somebody could choose."""
    if parameter["type"] == "keyframes":
        frames = usual(name, parameter)
        for change in ({"frame_index": 3}, {"image": 2}, {"strength": 0.4}):
            yield [frames[0], {**frames[1], **change}, frames[2]]
    elif parameter["type"] == "image":
        yield 2
    elif "options" in parameter:
        yield from (option for option in parameter["options"] if option != parameter["default"])
    elif name in OTHER:
        yield OTHER[name]
    elif parameter["type"] == "string":
        yield "fog and rain"
    else:
        low, high = parameter["min"], parameter["max"]
        start = parameter["default"]
        middle = (start + (low if start > low else high)) / 2
        yield int(middle) if parameter["type"] == "integer" else middle


def job_of(model: str, mode: str, values: dict[str, Any], files: list[Path]) -> Job:
    named = {name: str(value) if name in PICTURES else value for name, value in values.items()}
    references = [
        Reference(one.parameter, one.index, one.strength, files[int(one.media_id)]) for one in _pictures(named)
    ]
    rest = {name: value for name, value in values.items() if not isinstance(value, list)}
    rest = {name: value for name, value in rest.items() if name not in (*BESIDE, *PICTURES)}
    return Job(
        "task", 1, model, mode, values["prompt"], values["negative_prompt"], rest, values["seed"], references, 1e12
    )


@pytest.mark.parametrize(("model", "mode"), PAIRS)
def test_every_parameter_changes_the_result_or_is_said_to_have_no_effect(
    model: str, mode: str, warm: Callable[[str], Loaded], pictures: list[Path]
) -> None:
    def drawn(values: dict[str, Any]) -> tuple[Any, list[tuple[str, str | None]]]:
        heard = Heard()
        frames: Any = warm(model).run(job_of(model, mode, values, pictures), heard)
        return (frames.images.tobytes(), frames.images.shape, frames.fps), heard.warnings

    parameters = parameters_of(model, mode)
    plain = {name: usual(name, parameter) for name, parameter in parameters.items()}
    expected, warnings = drawn(plain)
    assert warnings == [], "what nobody chose is nothing to warn of"
    silent = []
    for name, parameter in parameters.items():
        if parameter["locked"]:
            continue
        for value in others(name, parameter):
            if name == "output_format":
                assert CONTENT_TYPES[value] != CONTENT_TYPES[parameter["default"]]
                continue
            made, said = drawn({**plain, name: value})
            has_effect = made != expected
            if has_effect == (("no_effect", name) in said):
                silent.append((name, value, "warned of in vain" if has_effect else "without effect or warning"))
            assert not any(about != name for _, about in said)
    assert silent == []
