"""The golden messages of the worker protocol, read by every language that speaks it."""

import json
from typing import Any, ClassVar

import pytest
from places import EXAMPLES, REPOSITORY
from schema import fits

from safelight_worker.attempt import Attempt
from safelight_worker.catalog import check_task
from safelight_worker.contract import BODY_BYTES, ERROR_CODES, PROTOCOL, Refusal, task_error
from safelight_worker.families import ModelState, Unavailable
from safelight_worker.health import create_health
from safelight_worker.messages import Gpu
from safelight_worker.request import read_task
from safelight_worker.tasks import _first_state


def example(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text(encoding="utf-8"))


def read(body: Any) -> Any:
    return read_task(json.dumps(body).encode())


def shape(value: Any) -> Any:
    """Names and types of a message, without its values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def schema_of(name: str) -> str:
    """What a message is an example of: its name up to the first dot, in the words of the document."""
    return "".join(word.capitalize() for word in name.split(".")[0].split("-"))


MESSAGES = sorted(path.name for path in EXAMPLES.glob("*.json") if path.name != "refused-tasks.json")


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_what_the_document_describes(name: str) -> None:
    fits(example(name), schema_of(name))


def test_the_judge_of_messages_can_tell_wrong_ones() -> None:
    task = example("worker-task.succeeded.json")
    for change in (
        {"state": "done"},
        {"version": 0},
        {"step": "2"},
        {"progress": True},
        {"colour": "red"},
        {"result": {**task["result"], "sha256": "x"}},
        {"result": {name: value for name, value in task["result"].items() if name != "fps"}},
        {"warnings": [{"code": "x"}]},
    ):
        with pytest.raises(AssertionError):
            fits({**task, **change}, "WorkerTask")


def test_every_example_is_known_to_these_tests() -> None:
    requests = [name for name in MESSAGES if name.startswith("worker-task-request.")]
    tasks = [f"worker-task.{name}.json" for name in ("failed", "running", "succeeded")]
    problems = [f"worker-problem.{name}.json" for name in ("busy", "media-missing", "wrong-key")]
    assert requests == REQUESTS
    others = ["worker-health.json", "worker-media-stored.json"]
    assert sorted([*others, *problems, *requests, *tasks]) == MESSAGES


REQUESTS = ["worker-task-request.image.json", "worker-task-request.key-frames.json"]


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_accepted(name: str) -> None:
    checked = check_task(read(example(name)))
    sent = example(name)
    assert (checked.model, checked.mode, checked.seed) == (sent["model"], sent["mode"], sent["seed"])
    assert checked.prompt == sent["prompt"]
    assert checked.parameters["width"] == sent["parameters"]["width"]


def test_key_frames_become_pictures_with_their_places() -> None:
    sent = example("worker-task-request.key-frames.json")
    checked = check_task(read(sent))
    wanted = [
        (frame["frame_index"], frame["strength"], frame["image"]) for frame in sent["parameters"]["arbitrary_frames"]
    ]
    assert [(one.index, one.strength, one.media_id) for one in checked.pictures] == wanted
    assert checked.recipe == sent["recipe"]
    assert "arbitrary_frames" not in checked.parameters


@pytest.mark.parametrize("case", example("refused-tasks.json"), ids=lambda case: json.dumps(case["change"])[:60])
def test_requests_are_refused_with_code_and_fields(case: Any) -> None:
    body = example("worker-task-request.image.json")
    if "mode" in case["change"] or "model" in case["change"]:
        body["parameters"] = {}
    body.update(case["change"])
    with pytest.raises(Refusal) as refused:
        check_task(read({name: value for name, value in body.items() if value is not None}))
    assert refused.value.code == case["code"]
    assert {field["field"]: field["code"] for field in refused.value.fields or ()} == case["fields"]


@pytest.mark.parametrize("name", ["busy", "media-missing", "wrong-key"])
def test_problems_are_written_as_in_the_examples(name: str) -> None:
    wanted = example(f"worker-problem.{name}.json")
    refusal = Refusal(wanted["code"], wanted["detail"], wanted.get("errors"))
    assert refusal.problem(wanted["instance"], wanted["correlation_id"]) == wanted


@pytest.mark.parametrize("name", ["running", "failed", "succeeded"])
def test_tasks_have_the_fields_of_the_examples(name: str) -> None:
    wanted = example(f"worker-task.{name}.json")
    attempt = Attempt(_first_state(example("worker-task-request.image.json")), "image")
    attempt.tell(stage="denoise", step=8, steps=20, progress=41.7, preview_version=2)
    told = attempt.task
    if name == "succeeded":
        told = attempt.ending(wanted["result"], None)
    elif name == "failed":
        told = attempt.ending(None, task_error(**wanted["error"]))
    assert set(told) == set(wanted)
    assert told["state"] == wanted["state"]
    assert told["error"] == wanted["error"]
    fits(told, "WorkerTask")


class _Machine:
    """What health asks of a host, as the example describes it."""

    engine_version = "0.1.0"
    gpus = (Gpu("NVIDIA L40S", 48318382080, 21474836480),)
    slots: ClassVar = {"image": 1, "video": 1, "total": 1}

    def models(self) -> list[ModelState]:
        return [ModelState("flux", "in_place", {}), ModelState("anisora", "missing", {})]

    def is_warm(self, model: str) -> bool:
        return model == "flux"

    def unavailable(self, model: str, mode: str) -> Unavailable | None:
        del mode
        return None if model == "flux" else Unavailable("weights_missing", "2 of 9 files are not in place yet.")

    def limits(self, model: str) -> list[Any]:
        return example("worker-health.json")["models"][1]["limits"] if model == "anisora" else []


class _Idle:
    keep_seconds = 86400.0

    class stopping:  # noqa: N801
        is_set = staticmethod(lambda: False)

    @staticmethod
    def busy() -> dict[str, int]:
        return {"image": 1, "video": 0, "total": 1}


def test_health_is_written_as_in_the_example() -> None:
    wanted = example("worker-health.json")
    told = dict(create_health("attic", _Machine(), _Idle())())  # type: ignore[arg-type]
    anisora = told["models"][1]
    assert [mode["id"] for mode in anisora["modes"]] == ["t2v", "i2v", "first_last_frame", "arbitrary_frame"]
    # The example shows one of the modes.
    anisora["modes"] = anisora["modes"][:1]
    fits(told, "WorkerHealth")
    assert told["models"] == wanted["models"]
    assert shape(told) == shape(wanted)
    assert told["protocol"] == wanted["protocol"] == PROTOCOL


def test_the_document_of_the_protocol_names_the_same_codes_and_limits() -> None:
    document = json.loads((REPOSITORY / "contract" / "worker-openapi.json").read_text(encoding="utf-8"))
    assert document["x-protocol"] == PROTOCOL
    assert document["x-limits"]["bodyBytes"] == BODY_BYTES
    assert {code: meaning.status for code, meaning in ERROR_CODES.items()} == {
        code: meaning["status"] for code, meaning in document["x-error-codes"].items()
    }
