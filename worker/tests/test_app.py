"""The routes over HTTP, in this process; the conformance kit judges a whole worker."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from schema import answered_as_described
from scripted_runner import ScriptedRunner
from test_golden_messages import example
from test_tasks import request

from safelight_worker.app import Parts, build_app
from safelight_worker.contract import Refusal
from safelight_worker.ranges import parse_range
from safelight_worker.serve import StartupError, read_key
from safelight_worker.store import MediaShelf, TaskStore
from safelight_worker.tasks import Tasks

KEY = "a-key-of-this-worker"
HEADERS = {"authorization": f"Bearer {KEY}", "safelight-protocol": "1"}

Client = httpx.AsyncClient


def talk(test: Callable[[Client, Tasks], Awaitable[None]], root: Path) -> None:
    async def body() -> None:
        store = TaskStore(root)
        shelf = MediaShelf(root)
        tasks = Tasks(ScriptedRunner(store), store, shelf, 3600)
        app = build_app(Parts(KEY, tasks, shelf, lambda: example("worker-health.json")))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        hooks = {"response": [as_described]}
        async with Client(transport=transport, base_url="http://worker", headers=HEADERS, event_hooks=hooks) as client:
            await test(client, tasks)
        await tasks.stop()

    asyncio.run(body())


async def as_described(response: httpx.Response) -> None:
    """Every answer in these tests is one that the document of the protocol describes."""
    body = await response.aread()
    kind = response.headers.get("content-type", "")
    assert response.headers["safelight-protocol"] == "1"
    answered_as_described(response.request.method, response.request.url.path, response.status_code, kind, body)


async def code_of(answer: Awaitable[httpx.Response]) -> str:
    response = await answer
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["safelight-protocol"] == "1"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["correlation_id"] == response.headers["x-correlation-id"]
    return str(problem["code"])


def test_a_task_from_start_to_deletion(tmp_path: Path) -> None:
    async def test(client: Client, tasks: Tasks) -> None:
        body = request()
        address = f"/tasks/{body['task_id']}"
        assert (await client.post("/tasks", json=body)).status_code == 202
        while (task := (await client.get(address, params={"wait": 5, "after": 1})).json())["state"] == "running":
            pass
        assert task["state"] == "succeeded"
        assert (await client.post("/tasks", json=body)).status_code == 200
        result = await client.get(f"{address}/result", headers={"range": "bytes=2-4"})
        assert (result.status_code, result.content) == (206, b"red")
        assert result.headers["content-range"] == f"bytes 2-4/{task['result']['bytes']}"
        assert result.headers["safelight-sha256"] == task["result"]["sha256"]
        preview = await client.get(f"{address}/preview")
        assert (preview.content, preview.headers["safelight-preview-version"]) == (b"small", "1")
        assert (await client.delete(address)).status_code == 204
        assert await code_of(client.get(address)) == "task_not_found"

    talk(test, tmp_path)


def test_a_result_whose_file_is_gone_says_so(tmp_path: Path) -> None:
    async def test(client: Client, tasks: Tasks) -> None:
        body = request()
        await client.post("/tasks", json=body)
        await tasks.find(body["task_id"], 1).over.wait()
        for path in (tmp_path / "results").glob("*.png"):
            path.unlink()
        assert await code_of(client.get(f"/tasks/{body['task_id']}/result")) == "result_gone"

    talk(test, tmp_path)


def test_a_former_key_counts_while_it_is_being_replaced(tmp_path: Path) -> None:
    async def body() -> None:
        store, shelf = TaskStore(tmp_path), MediaShelf(tmp_path)
        tasks = Tasks(ScriptedRunner(store), store, shelf, 3600)
        keys = f"the-next-key-of-this-worker\n{KEY}"
        transport = httpx.ASGITransport(build_app(Parts(keys, tasks, shelf, lambda: example("worker-health.json"))))
        async with Client(transport=transport, base_url="http://worker") as client:
            for key, status in (("the-next-key-of-this-worker", 200), (KEY, 200), ("another-key", 401)):
                headers = {"authorization": f"Bearer {key}", "safelight-protocol": "1"}
                assert (await client.get("/health", headers=headers)).status_code == status
        await tasks.stop()

    asyncio.run(body())


def test_several_keys_are_read_from_lines(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("the-next-key-of-this-worker\n\na-key-of-this-worker\n")
    assert read_key(file) == "the-next-key-of-this-worker\na-key-of-this-worker"
    for content in ("", "short\n", "a-key-of-this-worker\nshort", "a-key-of-this-worker\n" * 5):
        file.write_text(content)
        with pytest.raises(StartupError, match="must hold one key"):
            read_key(file)


def test_the_key_comes_before_the_protocol_and_both_before_the_body(tmp_path: Path) -> None:
    async def test(client: Client, _tasks: Tasks) -> None:
        wrong = {"authorization": "Bearer other", "safelight-protocol": "9"}
        assert await code_of(client.post("/tasks", content=b"{", headers=wrong)) == "invalid_worker_key"
        newer = {"safelight-protocol": "2"}
        assert await code_of(client.post("/tasks", content=b"{", headers=newer)) == "protocol_unsupported"

    talk(test, tmp_path)


def test_a_picture_is_kept_only_with_its_hash(tmp_path: Path) -> None:
    async def test(client: Client, tasks: Tasks) -> None:
        data = b"bytes of a picture"
        sha256 = hashlib.sha256(data).hexdigest()
        types = {"content-type": "image/png"}
        assert await code_of(client.put(f"/media/{sha256}", content=b"others", headers=types)) == "media_mismatch"
        assert tasks.shelf.size_of(sha256) is None
        assert (await client.put(f"/media/{sha256}", content=data, headers=types)).status_code == 201
        assert (await client.put(f"/media/{sha256}", content=data, headers=types)).status_code == 200
        assert [path.name for path in (tmp_path / "media").iterdir()] == [f"{sha256}.png"]

    talk(test, tmp_path)


def test_a_picture_that_is_too_large_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safelight_worker.reading.MEDIA_BYTES", 100_000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(10_000)

    async def test(client: Client, _tasks: Tasks) -> None:
        types = {"content-type": "image/png"}
        for content in (bytes(100_001), pieces()):
            address = f"/media/{'0' * 64}"
            assert await code_of(client.put(address, content=content, headers=types)) == "payload_too_large"
        assert list((tmp_path / "media").iterdir()) == []
        data = bytes(100_000)
        address = f"/media/{hashlib.sha256(data).hexdigest()}"
        assert (await client.put(address, content=data, headers=types)).status_code == 201

    talk(test, tmp_path)


def test_of_tasks_that_race_for_a_slot_one_is_accepted_and_the_next_after_its_end(tmp_path: Path) -> None:
    async def test(client: Client, _tasks: Tasks) -> None:
        bodies = [request("wait") for _ in range(6)]
        answers = await asyncio.gather(*(client.post("/tasks", json=body) for body in bodies))
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [202, *[409] * 5]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"busy"}
        winner = bodies[statuses.index(202)]
        assert (await client.post(f"/tasks/{winner['task_id']}/cancel")).json()["error"]["code"] == "cancelled"
        assert (await client.post("/tasks", json=bodies[statuses.index(409)])).status_code == 202

    talk(test, tmp_path)


def test_what_a_newer_gateway_adds_is_passed_over_and_a_newer_protocol_is_refused(tmp_path: Path) -> None:
    async def test(client: Client, _tasks: Tasks) -> None:
        body = {**request(), "priority": "high", "media_plan": [{"later": True}]}
        address = f"/tasks/{body['task_id']}"
        newer = {"safelight-protocol": "2", "safelight-later": "x"}
        refused = await client.post("/tasks", json=body, headers=newer)
        assert (refused.json()["code"], refused.headers["safelight-protocol"]) == ("protocol_unsupported", "1")
        assert await code_of(client.get(address)) == "task_not_found"
        accepted = await client.post("/tasks?later=1", json=body, headers={"safelight-later": "x"})
        assert accepted.status_code == 202
        assert (await client.get(address, params={"wait": 5, "after": 99, "later": "x"})).json()["state"] == "succeeded"
        unknown = request(parameters={"motion": 3})
        assert await code_of(client.post("/tasks", json=unknown)) == "validation_failed"
        assert (await client.get("/health")).status_code == 200

    talk(test, tmp_path)


def test_addresses_and_methods_that_are_none(tmp_path: Path) -> None:
    async def test(client: Client, _tasks: Tasks) -> None:
        assert await code_of(client.get("/tasks/x/y/z")) == "not_found"
        assert await code_of(client.get("/docs")) == "not_found"
        answer = await client.put("/tasks/x")
        assert (answer.json()["code"], answer.headers["allow"]) == ("method_not_allowed", "GET, DELETE")

    talk(test, tmp_path)


def test_a_sender_who_leaves_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError

    async def test(client: Client, _tasks: Tasks) -> None:
        types = {"content-type": "image/png"}
        await client.put(f"/media/{'0' * 64}", content=broken(), headers=types)
        assert list((tmp_path / "media").iterdir()) == []

    talk(test, tmp_path)


def test_a_disk_that_fails_is_told_without_its_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client, tasks: Tasks) -> None:
        def full(*_: object) -> int:
            raise OSError(28, "No space left on device", str(tmp_path))

        monkeypatch.setattr(tasks.shelf, "take", full)
        data = b"picture"
        address = f"/media/{hashlib.sha256(data).hexdigest()}"
        answer = await client.put(address, content=data, headers={"content-type": "image/png"})
        assert answer.json()["code"] == "storage_unavailable"
        assert str(tmp_path) not in answer.text
        assert list((tmp_path / "media").iterdir()) == []

    talk(test, tmp_path)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-0", (0, 0)),
        ("bytes=-16", (84, 99)),
        ("bytes=90-", (90, 99)),
        ("bytes=5-5000", (5, 99)),
        ("bytes=-5000", (0, 99)),
        (f"bytes=5-{'9' * 6000}", (5, 99)),
        ("lines=1-2", None),
        ("bytes=0-1,4-5", None),
    ],
)
def test_ranges(header: str | None, wanted: tuple[int, int] | None) -> None:
    assert parse_range(header, 100) == wanted


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=9-3", "bytes=-0", "bytes=x-y", "bytes=-", "bytes=1-2,x", f"bytes={'9' * 6000}-"]
)
def test_ranges_beyond_the_file(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_range(header, 100)
    assert refused.value.headers == {"content-range": "bytes */100"}
