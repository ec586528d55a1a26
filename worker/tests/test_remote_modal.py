"""What the serving container asks of Modal, by the real package, of a stand-in of Modal's server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import modal
import pytest
from grpclib import GRPCError
from grpclib.const import Status
from modal_proto import api_pb2 as api
from stand_in_modal import StandIn, failure, open_files

from safelight_worker import messages
from safelight_worker.attempt import RunFailed
from safelight_worker.host_modal import FilesOpen
from safelight_worker.remote_modal import Calls

Value = TypeVar("Value")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    made = StandIn()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "MODAL_SERVER_URL": made.url,
            "MODAL_TOKEN_ID": "ak-of-a-test",
            "MODAL_TOKEN_SECRET": "as-of-a-test",
            "MODAL_CONFIG_PATH": "/nowhere/modal.toml",
        }.items():
            patch.setenv(name, value)
        yield made
    made.close()


@pytest.fixture
def calls(stand_in: StandIn) -> Calls:
    stand_in.entries.clear()
    stand_in.asked.clear()
    volume = modal.Volume.from_name("safelight-data", create_if_missing=True)
    return Calls(None, modal.Dict.from_name("safelight-runs", create_if_missing=True), volume, volume)


def run(coroutine: Coroutine[Any, Any, Value]) -> Value:
    return asyncio.run(coroutine)


def test_values_are_written_read_and_forgotten(calls: Calls) -> None:
    assert run(calls.read("run/1")) is None
    run(calls.write("run/1", {"step": 3}))
    assert run(calls.read("run/1")) == {"step": 3}
    run(calls.forget("run/1"))
    run(calls.forget("run/1"))
    assert run(calls.read("run/1")) is None


def test_a_call_goes_on_until_it_has_an_outcome(calls: Calls, stand_in: StandIn) -> None:
    stand_in.outcomes["fc-1"] = None
    assert run(calls.outcome("fc-1")) is None
    done = messages.Done({"bytes": 3}, ())
    stand_in.ends("fc-1", done)
    assert run(calls.outcome("fc-1")) == done
    # Asking takes nothing away: the next container may ask again.
    assert run(calls.outcome("fc-1")) == done


@pytest.mark.parametrize(
    "status",
    [
        api.GenericResult.GENERIC_STATUS_TIMEOUT,
        api.GenericResult.GENERIC_STATUS_INTERNAL_FAILURE,
        api.GenericResult.GENERIC_STATUS_TERMINATED,
        api.GenericResult.GENERIC_STATUS_FAILURE,
    ],
)
def test_a_call_that_was_lost_fails_the_run(status: int, calls: Calls, stand_in: StandIn) -> None:
    stand_in.outcomes["fc-2"] = failure(status, "its container is gone")
    with pytest.raises(RunFailed) as failed:
        run(calls.outcome("fc-2"))
    assert failed.value.error["code"] == "worker_lost"
    assert failed.value.error["retryable"] is True


def test_a_call_that_is_not_known_any_more_fails_the_run(calls: Calls) -> None:
    with pytest.raises(RunFailed):
        run(calls.outcome("fc-of-last-week"))


def test_a_server_that_refuses_for_a_moment_is_no_lost_call(calls: Calls, stand_in: StandIn) -> None:
    stand_in.outcomes["fc-3"] = None
    # The package itself asks again.
    stand_in.refusals["FunctionGetOutputs"] = GRPCError(Status.UNAVAILABLE, "not at the moment")
    assert run(calls.outcome("fc-3")) is None
    assert stand_in.refusals == {}
    stand_in.refusals["DictGet"] = GRPCError(Status.PERMISSION_DENIED, "not now")
    with pytest.raises(OSError, match="not now"):
        run(calls.read("run/1"))
    assert run(calls.read("run/1")) is None


def test_a_call_is_cancelled_with_its_container_and_one_that_is_gone_is_left(calls: Calls, stand_in: StandIn) -> None:
    run(calls.cancel("fc-1"))
    assert "FunctionCallCancel" in stand_in.asked
    stand_in.refusals["FunctionCallCancel"] = GRPCError(Status.NOT_FOUND, "gone")
    run(calls.cancel("fc-1"))


def test_open_files_keep_a_reload_and_not_a_commit(calls: Calls, stand_in: StandIn) -> None:
    run(calls.reload())
    run(calls.reload_weights())
    run(calls.commit())
    stand_in.refusals["VolumeReload"] = open_files()
    with pytest.raises(FilesOpen):
        run(calls.reload())
    # The package reloads after it has committed.
    stand_in.refusals["VolumeReload"] = open_files()
    run(calls.commit())
    assert stand_in.refusals == {}
    stand_in.refusals["VolumeCommit"] = GRPCError(Status.NOT_FOUND, "no such volume")
    with pytest.raises(OSError, match="no such volume"):
        run(calls.commit())


def test_a_file_is_copied_without_a_reload(calls: Calls, stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.files["results/one.png"] = b"a picture"
    run(calls.copy("results/one.png", tmp_path / "one.png"))
    assert (tmp_path / "one.png").read_bytes() == b"a picture"
    assert "VolumeReload" not in stand_in.asked
    with pytest.raises(OSError):
        run(calls.copy("results/two.png", tmp_path / "two.png"))
    assert not (tmp_path / "two.png").exists()


def test_an_order_is_spawned_for_the_container_of_its_model(calls: Calls) -> None:
    given: list[Any] = []

    async def spawn(*arguments: Any) -> Any:
        given.append(arguments)
        return SimpleNamespace(object_id="fc-9")

    def model(name: str) -> Any:
        given.append(name)
        return SimpleNamespace(run=SimpleNamespace(spawn=SimpleNamespace(aio=spawn)))

    calls._model = model
    order: Any = SimpleNamespace(job=SimpleNamespace(model="flux"))
    assert run(calls.spawn(order, 60.0)) == "fc-9"
    assert given == ["flux", (order, 60.0)]
