"""Exported graphs in the runtime that the engine uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def compare_graphs(examples: Path, graphs: Path) -> None:
    """Fails where the graphs answer otherwise than the examples that `parity` wrote."""
    node = ROOT / "node_modules" / "node" / "bin" / "node"
    done = subprocess.run(
        [node, ROOT / "engine" / "src" / "parity" / "main.ts", examples, graphs], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
