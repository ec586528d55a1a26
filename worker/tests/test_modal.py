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
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import httpx
import modal
import pytest
import uvicorn
from places import REPOSITORY
from test_tasks import request

from safelight_worker import messages
from safelight_worker.child import set_environment
from safelight_worker.host_modal import CallRunner
from safelight_worker.settings import ModelSpec

KEY = "a-key-of-this-worker"
HEADERS = {"authorization": f"Bearer {KEY}", "safelight-protocol": "1"}


class Nearby:
    """Calls in threads of this process, a dictionary of this process."""

    def __init__(self, specs: dict[str, ModelSpec]) -> None:
        self.shared: dict[str, Any] = {}
        self.commits = 0
        self._specs = specs
        self._runners: dict[str, CallRunner] = {}
        self._calls: dict[str, asyncio.Task[Any]] = {}

    async def spawn(self, order: messages.RunOrder, seconds: float) -> str:
        model = order.job.model
        if model not in self._runners:
            self._runners[model] = await asyncio.to_thread(CallRunner, self._specs[model])
        call = f"call-{len(self._calls)}"
        self._calls[call] = asyncio.create_task(
            asyncio.to_thread(self._runners[model].run, order, seconds, self.shared)
        )
        return call

    async def outcome(self, call: str) -> Any:
        return self._calls[call].result() if self._calls[call].done() else None

    async def cancel(self, call: str) -> None:
        self._calls[call].cancel()

    async def read(self, key: str) -> Any:
        return self.shared.get(key)

    async def write(self, key: str, value: Any) -> None:
        self.shared[key] = value

    async def forget(self, key: str) -> None:
        self.shared.pop(key, None)

    async def reload(self) -> None:
        pass

    async def commit(self) -> None:
        self.commits += 1


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
def served(app_file: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Nearby]]:
    set_environment(1)
    from safelight_worker.tiny import make_tiny

    specs = make_tiny(tmp_path_factory.mktemp("tiny"))
    remote = Nearby(specs)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = app_file.build(KEY, tmp_path_factory.mktemp("data"), remote, specs)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", remote
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
    assert isinstance(app_file.fetch, modal.Function)
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
        assert remote.shared == {}


def test_a_cancel_reaches_the_call(served: tuple[str, Nearby]) -> None:
    url, remote = served
    with open_client(url) as client:
        body = request(parameters={"width": 1024, "height": 1024, "steps": 50})
        client.post("/tasks", json=body)
        while not (client.get(f"/tasks/{body['task_id']}").json()["step"] or 0):
            time.sleep(0.05)
        task = client.post(f"/tasks/{body['task_id']}/cancel").json()
        assert task["error"]["code"] == "cancelled"
        assert remote.shared == {}
        assert client.get("/health").json()["busy"]["total"] == 0
