"""FR-024: a token that can do more than read is not used; judged against a stand-in with the documented answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_in_hub import StandIn

from safelight_worker import fetch
from safelight_worker.hub_token import judge


def whoami(**token: object) -> dict[str, object]:
    """What `whoami-v2` says of a token."""
    return {"type": "user", "name": "somebody", "auth": {"type": "access_token", "accessToken": token}}


def fine(permissions: object, rights: object = ()) -> dict[str, object]:
    """The same of a fine-grained one."""
    scoped = [{"entity": {"type": "model", "name": "someone/model"}, "permissions": permissions}]
    return whoami(role="fineGrained", fineGrained={"global": list(rights), "scoped": scoped})  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (whoami(role="read"), "ok"),
        (whoami(role="write"), "can_write"),
        (fine(["repo.content.read"]), "ok"),
        (fine(["repo.content.read", "repo.write"]), "can_write"),
        (fine(["repo.content.read"], ["inference.serverless.write"]), "can_write"),
        (fine(["repo.everything"]), "can_write"),
        (fine("all"), "unknown"),
        (fine([1]), "unknown"),
        (whoami(role="fineGrained"), "unknown"),
        (whoami(role="oauth"), "unknown"),
        ({"type": "user"}, "unknown"),
        ([], "unknown"),
    ],
)
def test_a_token_is_judged_by_what_the_hub_says_of_it(answer: object, verdict: str) -> None:
    assert judge(answer) == verdict


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A hub that knows one token, and no repository that is asked for."""
    stand_in = StandIn({})
    stand_in.token = "hf_of_a_test"
    monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
    monkeypatch.delenv("SAFELIGHT_ENV", raising=False)
    yield stand_in
    stand_in.close()


def asked(hub: StandIn) -> list[str]:
    return [path for path, _, _ in hub.requests]


def test_nothing_is_fetched_with_a_token_that_can_write(
    hub: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.whoami = whoami(role="write")
    assert fetch.run("flux", tmp_path, None) == 1
    told = capsys.readouterr()
    assert "can do more than read" in told.err and "hf_of_a_test" not in told.out + told.err
    assert asked(hub) == ["/api/whoami-v2"]


def test_nor_with_one_that_the_hub_does_not_know(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_yesterday")
    assert fetch.run("flux", tmp_path, None) == 1
    assert "does not know HF_TOKEN" in capsys.readouterr().err


def test_one_that_cannot_be_checked_is_used_and_told_of_but_not_in_production(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch.run("flux", tmp_path, None) == 1
    told = capsys.readouterr().err
    assert "used all the same" in told and "no such repository" in told
    hub.requests.clear()
    monkeypatch.setenv("SAFELIGHT_ENV", "prod")
    assert fetch.run("flux", tmp_path, None) == 1
    assert "in production it has to be" in capsys.readouterr().err
    assert asked(hub) == ["/api/whoami-v2"]


def test_without_a_token_nobody_is_asked(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    hub.token = None
    assert fetch.run("flux", tmp_path, None) == 1
    assert asked(hub) and "/api/whoami-v2" not in asked(hub)
