"""Asks a hub of models what it has. Imports no torch."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from safelight_worker.settings import Source

TRIES = 5


class FetchError(Exception):
    """Fetching failed. The text says what to do about it; `again` whether another try can help."""

    def __init__(self, detail: str, again: bool = False) -> None:
        super().__init__(detail)
        self.again = again


@dataclass(frozen=True)
class Remote:
    """A file to fetch. `sha256` or, for small files of a repository, `git` (the hash of the blob) checks it."""

    name: str
    url: str
    size: int | None
    sha256: str | None = None
    git: str | None = None


class Hub:
    """A hub of models, or one that stands in for it. Close it after use."""

    def __init__(self, endpoint: str | None = None, token: str | None = None, pause: float = 1.0) -> None:
        if endpoint is None:
            from huggingface_hub.constants import ENDPOINT

            endpoint = ENDPOINT
        self.endpoint = endpoint.rstrip("/")
        self.token = token
        self.pause = pause
        self.client = httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30, read=60))

    def close(self) -> None:
        """Closes its connections."""
        self.client.close()

    def headers(self, url: str) -> dict[str, str]:
        """The token goes to the hub alone; httpx leaves it out when a redirect leads elsewhere."""
        return {"Authorization": f"Bearer {self.token}"} if self.token and self.owns(url) else {}

    def owns(self, url: str) -> bool:
        """Whether an address is one of the hub's."""
        return url.startswith(self.endpoint + "/")

    def commit(self, repo: str, revision: str) -> str:
        """The commit that a revision means now, so that all files are of one state."""
        found = self._json(f"{self.endpoint}/api/models/{repo}/revision/{quote(revision, safe='')}")
        if not isinstance(found, dict) or not isinstance(found.get("sha"), str):
            raise FetchError("The hub answered with something else than a commit.")
        return str(found["sha"])

    def files(self, source: Source, commit: str) -> list[Remote]:
        """The files of a source: the one that it names, or those that fit its patterns."""
        base = f"{self.endpoint}/api/models/{source.repo}/tree/{commit}"
        start = source.subfolder or (str(Path(source.file).parent) if source.file else "")
        start = "" if start == "." else start
        url: str | None = f"{base}/{quote(start)}?recursive=true" if start else f"{base}?recursive=true"
        entries: list[Any] = []
        while url is not None:
            page, url = self._page(url)
            entries += page
        return [self._remote(source, commit, entry) for entry in entries if _is_wanted(source, entry)]

    def _remote(self, source: Source, commit: str, entry: Mapping[str, Any]) -> Remote:
        path, large = str(entry["path"]), entry.get("lfs")
        url = f"{self.endpoint}/{source.repo}/resolve/{commit}/{quote(path)}"
        if isinstance(large, dict):
            return Remote(path, url, int(large["size"]), sha256=str(large["oid"]).removeprefix("sha256:"))
        return Remote(path, url, int(entry["size"]), git=str(entry["oid"]))

    def _json(self, url: str) -> Any:
        return self._asked(url).json()

    def _page(self, url: str) -> tuple[list[Any], str | None]:
        answer = self._asked(url)
        page = answer.json()
        if not isinstance(page, list):
            raise FetchError("The hub answered with something else than a list of files.")
        following = answer.links.get("next", {}).get("url")
        return page, following

    def _asked(self, url: str) -> httpx.Response:
        for attempt in range(1, TRIES + 1):
            try:
                answer = self.client.get(url, headers=self.headers(url))
                refuse(answer)
                return answer
            except (httpx.HTTPError, FetchError) as error:
                self.rest_or_raise(error, attempt)
        raise AssertionError

    def rest_or_raise(self, error: Exception, attempt: int) -> None:
        """Waits before another try, longer each time, or raises when it would not help or was tried often enough."""
        again = error.again if isinstance(error, FetchError) else True
        if again and attempt < TRIES:
            time.sleep(self.pause * 2 ** (attempt - 1))
            return
        if isinstance(error, FetchError):
            raise error
        raise FetchError(
            "The hub cannot be reached, or broke off too often. Run the command again to go on."
        ) from error


def refuse(answer: httpx.Response) -> None:
    """FetchError for an answer that is none."""
    status = answer.status_code
    if status in (401, 403):
        detail = "The hub refuses: accept the licence on the model's page and give a token in HF_TOKEN."
        raise FetchError(detail)
    if status == 404:
        raise FetchError("The hub has no such repository, revision or file.")
    if status == 429 or status >= 500:
        raise FetchError(f"The hub answers with status {status}. Run the command again later.", again=True)
    if status >= 400:
        raise FetchError(f"The hub answers with status {status}.")


def _is_wanted(source: Source, entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.get("type") != "file":
        return False
    path = str(entry.get("path"))
    if ".." in Path(path).parts or path.startswith("/"):
        return False
    if source.file is not None:
        return path == source.file
    inside = path.removeprefix(f"{source.subfolder}/") if source.subfolder else path
    return not source.include or any(fnmatch.fnmatchcase(inside, pattern) for pattern in source.include)
