"""Reads every byte of the fetched weights and compares it with what the first fetch brought. Imports no torch."""

from __future__ import annotations

import sys
from pathlib import Path

from safelight_worker.fetch import Lines, Progress, hashed
from safelight_worker.hub import FetchError
from safelight_worker.lock import locked
from safelight_worker.settings import ModelSpec, SettingsError, read_settings


def verify_model(spec: ModelSpec, progress: Progress) -> tuple[int, list[str]]:
    """How many files are what they were, and a sentence for each that is not. Sources that lie elsewhere are left out.

    FetchError when the lock cannot be read.
    """
    right, wrong = 0, []
    for source in spec.sources.values():
        if not source.named or source.path is not None:
            continue
        known = locked(source)
        if known is None:
            wrong.append(f"{source.name} was never fetched.")
            continue
        for name, noted in known.files.items():
            file = source.folder / name
            if not file.is_file():
                wrong.append(f"{source.name}/{name} is missing.")
            elif file.stat().st_size != noted["bytes"] or hashed(file)["sha256"] != noted["sha256"]:
                wrong.append(f"{source.name}/{name} is damaged or another file.")
            else:
                right += 1
                progress(name, noted["bytes"], noted["bytes"])
    return right, wrong


def run(model: str, weights: Path, settings: Path | None) -> int:
    """The command. The exit code is 1 when anything is not what it was."""
    try:
        right, wrong = verify_model(read_settings(weights.resolve(), settings)[model], Lines(sys.stdout))
    except (FetchError, SettingsError) as error:
        print(f"safelight-worker: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"safelight-worker: the folder for weights cannot be read: {error.strerror}", file=sys.stderr)
        return 1
    for line in wrong:
        print(f"safelight-worker: {line}", file=sys.stderr)
    print(f"{model}: {right} files are what was fetched first" + (f", {len(wrong)} are not" if wrong else ""))
    return 1 if wrong else 0
