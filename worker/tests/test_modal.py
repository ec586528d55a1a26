"""The Modal host: the app file with the real modal package, its app under uvicorn, calls by a stand-in for Modal."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import modal
import pytest
import uvicorn
from places import REPOSITORY
from test_tasks import request

from safelight_worker import messages
from safelight_worker.call_modal import CallRunner
from safelight_worker.child import set_environment
from safelight_worker.host_modal import FilesOpen, ModalHost, RunningStore
from safelight_worker.settings import ModelSpec
from safelight_worker.tasks import _first_state

KEY = "a-key-of-this-worker"
HEADERS = {"authorization": f"Bearer {KEY}", "safelight-protocol": "1"}


class Nearby:
    """Calls in threads of this process, a dictionary of this process; it outlives the app that uses it."""

    def __init__(self, specs: dict[str, ModelSpec]) -> None:
        self.shared: dict[str, Any] = {}
        self.commits = 0
        self.copies: list[str] = []
        self.cancelled: list[str] = []
        #: How often each question is still refused.
        self.refusals = {"spawn": 0, "outcome": 0}
        self.open_files = False
        #: While it is set no call has an outcome, whatever it has come to.
        self.held = False
        #: While it is set nothing is seen of a run before its end.
        self.late = False
        self.runners: dict[str, CallRunner] = {}
        self._specs = specs
        self._calls: dict[str, Future[Any]] = {}
        self._ended = False
        self._threads = ThreadPoolExecutor(1)

    async def spawn(self, order: messages.RunOrder, seconds: float) -> str:
        self._reach("spawn")
        model = order.job.model
        if model not in self.runners:
            self.runners[model] = await asyncio.to_thread(CallRunner, self._specs[model], self.shared, 60.0)
        call = f"call-{len(self._calls)}"
        self._calls[call] = self._threads.submit(self.runners[model].run, order, seconds)
        return call

    async def outcome(self, call: str) -> Any:
        self._reach("outcome")
        self._ended = self._calls[call].done() and not self.held
        return self._calls[call].result() if self._ended else None

    async def cancel(self, call: str) -> None:
        self.cancelled.append(call)

    async def read(self, key: str) -> Any:
        if self.late and key.startswith("run/") and not self._ended:
            return None
        return self.shared.get(key)

    async def write(self, key: str, value: Any) -> None:
        self.shared[key] = value

    async def forget(self, key: str) -> None:
        self.shared.pop(key, None)

    async def reload(self) -> None:
        if self.open_files:
            raise FilesOpen

    async def reload_weights(self) -> None:
        pass

    async def copy(self, name: str, target: Path) -> None:
        self.copies.append(name)

    async def commit(self) -> None:
        self.commits += 1

    def told(self) -> list[str]:
        """What is in the dictionary beside who is warm."""
        return [key for key in self.shared if not key.startswith("warm/")]

    def _reach(self, question: str) -> None:
        if self.refusals[question] > 0:
            self.refusals[question] -= 1
            raise OSError("nobody there")


@pytest.fixture(scope="module")
def app_file() -> ModuleType:
    path = REPOSITORY / "deploy" / "modal" / "worker_app.py"
    spec = importlib.util.spec_from_file_location("worker_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFELIGHT_WORKER_KEY", KEY)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelSpec]:
    set_environment(1)
    from safelight_worker.tiny import make_tiny

    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def served(
    app_file: ModuleType, tiny: dict[str, ModelSpec], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Nearby]]:
    remote = Nearby(tiny)
    with serving(app_file, tmp_path_factory.mktemp("data"), remote, tiny) as url:
        yield url, remote


@contextmanager
def serving(app_file: ModuleType, folder: Path, remote: Nearby, tiny: dict[str, ModelSpec]) -> Iterator[str]:
    """The app under uvicorn, as a container serves it; leaving stops it as the end of a container does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        app = app_file.build(KEY, folder, remote, tiny)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def until_ended(client: httpx.Client, task_id: str) -> dict[str, Any]:
    while True:
        task: dict[str, Any] = client.get(f"/tasks/{task_id}", params={"wait": 10}).json()
        if task["state"] != "running":
            return task


@contextmanager
def open_client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers=HEADERS, timeout=60) as client:
        ends = time.monotonic() + 60
        while not client.get("/health").json()["ready"] and time.monotonic() < ends:
            time.sleep(0.1)
        yield client


def test_the_app_file_names_what_is_deployed(app_file: ModuleType) -> None:
    assert isinstance(app_file.web, modal.Function)
    assert isinstance(app_file.Model, modal.Cls)


def test_importing_the_app_file_loads_no_model() -> None:
    path = REPOSITORY / "deploy" / "modal" / "worker_app.py"
    code = f"import runpy, sys; runpy.run_path({str(path)!r}); sys.exit('torch' in sys.modules)"
    environment = {"SAFELIGHT_WORKER_KEY": KEY, "PATH": "", "HOME": str(path.parent)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_task_is_a_call_whose_file_comes_from_the_volume(served: tuple[str, Nearby]) -> None:
    url, remote = served
    with open_client(url) as client:
        body = request(parameters={"width": 512, "height": 512, "steps": 15})
        before = remote.commits
        assert client.post("/tasks", json=body).status_code == 202
        task = until_ended(client, body["task_id"])
        assert task["state"] == "succeeded", task["error"]
        assert task["steps"] == 15
        assert task["preview_version"] >= 1
        result = client.get(f"/tasks/{body['task_id']}/result")
        assert len(result.content) == task["result"]["bytes"]
        # Pictures before the run, the record after it.
        assert remote.commits - before >= 2
        assert remote.told() == []


def test_a_cancel_reaches_the_call(served: tuple[str, Nearby]) -> None:
    url, remote = served
    with open_client(url) as client:
        body = request(parameters={"width": 768, "height": 768, "steps": 40})
        client.post("/tasks", json=body)
        while not (client.get(f"/tasks/{body['task_id']}").json()["step"] or 0):
            time.sleep(0.05)
        task = client.post(f"/tasks/{body['task_id']}/cancel").json()
        assert task["error"]["code"] == "cancelled"
        assert remote.told() == []
        assert client.get("/health").json()["busy"]["total"] == 0


def warm(client: httpx.Client, model: str) -> bool:
    return next(bool(one["warm"]) for one in client.get("/health").json()["models"] if one["id"] == model)


def test_a_model_is_warm_after_its_run_and_until_its_container_leaves(
    served: tuple[str, Nearby], tmp_path: Path
) -> None:
    url, remote = served
    with open_client(url) as client:
        body = request(parameters={"width": 512, "height": 512, "steps": 15})
        client.post("/tasks", json=body)
        while not (client.get(f"/tasks/{body['task_id']}").json()["step"] or 0):
            time.sleep(0.05)
        assert warm(client, "flux")
        until_ended(client, body["task_id"])
        assert warm(client, "flux")
        assert not warm(client, "phr00t")
        # The dictionary is asked only now and then; this is what is found there the next time.
        remote.runners["flux"].leave()
        host = ModalHost(RunningStore(tmp_path), remote._specs, remote, 1)
        asyncio.run(host.look_who_is_warm())
        assert not host.is_warm("flux")


def test_a_result_comes_while_another_is_being_sent(served: tuple[str, Nearby]) -> None:
    url, remote = served
    with open_client(url) as client:
        remote.open_files = True
        body = request(parameters={"width": 512, "height": 512, "steps": 15})
        client.post("/tasks", json=body)
        task = until_ended(client, body["task_id"])
        remote.open_files = False
        assert task["state"] == "succeeded", task["error"]
        assert remote.copies == [f"results/{body['task_id']}-1.png"]


def test_what_was_told_last_is_not_lost_with_a_quick_end(served: tuple[str, Nearby]) -> None:
    url, remote = served
    with open_client(url) as client:
        remote.late = True
        body = request(negative_prompt="fog", parameters={"width": 512, "height": 512, "steps": 15})
        client.post("/tasks", json=body)
        task = until_ended(client, body["task_id"])
        remote.late = False
        assert [(one["code"], one["parameter"]) for one in task["warnings"]] == [("no_effect", "negative_prompt")]
        assert (task["state"], task["steps"]) == ("succeeded", 15)
        assert remote.told() == []


def test_a_moment_of_silence_ends_no_run_and_one_at_the_start_fails_it(served: tuple[str, Nearby]) -> None:
    url, remote = served
    with open_client(url) as client:
        body = request(parameters={"width": 512, "height": 512, "steps": 15})
        remote.refusals["spawn"] = 1
        client.post("/tasks", json=body)
        task = until_ended(client, body["task_id"])
        assert task["error"]["code"] == "worker_lost"
        assert task["error"]["retryable"] is True
        body = request(parameters={"width": 512, "height": 512, "steps": 15})
        remote.refusals["outcome"] = 2
        client.post("/tasks", json=body)
        assert until_ended(client, body["task_id"])["state"] == "succeeded"
        assert remote.told() == []


def test_a_run_outlives_the_container_that_serves(
    app_file: ModuleType, tiny: dict[str, ModelSpec], tmp_path: Path
) -> None:
    remote = Nearby(tiny)
    remote.held = True
    body = request(parameters={"width": 512, "height": 512, "steps": 15})
    status = f"/tasks/{body['task_id']}"
    with serving(app_file, tmp_path, remote, tiny) as url, open_client(url) as client:
        client.post("/tasks", json=body)
        while (client.get(status).json()["step"] or 0) < 15:
            time.sleep(0.05)
        version = client.get(status).json()["version"]
    # The file has come while nobody served; nobody has been told of an end.
    wait(remote._calls.values())
    with serving(app_file, tmp_path, remote, tiny) as url, open_client(url) as client:
        task = client.get(status).json()
        assert (task["state"], task["version"] > version) == ("running", True)
        assert client.get("/health").json()["busy"] == {"image": 1, "video": 0, "total": 1}
        remote.held = False
        task = until_ended(client, body["task_id"])
        assert task["state"] == "succeeded", task["error"]
        assert task["steps"] == 15
        result = client.get(f"{status}/result").content
        assert remote.told() == []
        assert remote.cancelled == []
    # And a finished one outlives the next.
    with serving(app_file, tmp_path, remote, tiny) as url, open_client(url) as client:
        assert client.get(f"{status}/result").content == result


def test_a_run_whose_call_was_never_written_down_fails_and_is_kept_from_running(
    app_file: ModuleType, tiny: dict[str, ModelSpec], tmp_path: Path
) -> None:
    remote = Nearby(tiny)
    body = request()
    task = _first_state(body)
    store = RunningStore(tmp_path)
    store.begin(task, store.result_path(body["task_id"], 1, "image/png"))
    with serving(app_file, tmp_path, remote, tiny) as url, open_client(url) as client:
        ended = until_ended(client, body["task_id"])
        assert ended["error"]["code"] == "worker_lost"
        assert ended["error"]["retryable"] is True
        assert client.get("/health").json()["busy"]["total"] == 0
    assert RunningStore(tmp_path).load()[0].task["state"] == "failed"


def test_the_next_attempt_ends_the_one_that_was_left_behind(
    app_file: ModuleType, tiny: dict[str, ModelSpec], tmp_path: Path
) -> None:
    remote = Nearby(tiny)
    body = request(parameters={"width": 768, "height": 768, "steps": 40})
    with serving(app_file, tmp_path, remote, tiny) as url, open_client(url) as client:
        client.post("/tasks", json=body)
        while not (client.get(f"/tasks/{body['task_id']}").json()["step"] or 0):
            time.sleep(0.05)
    with serving(app_file, tmp_path, remote, tiny) as url, open_client(url) as client:
        again = {**body, "attempt": 2, "parameters": {"width": 512, "height": 512, "steps": 15}}
        assert client.post("/tasks", json=again).status_code == 202
        task = until_ended(client, body["task_id"])
        assert (task["attempt"], task["state"]) == (2, "succeeded")
        assert remote.told() == []
