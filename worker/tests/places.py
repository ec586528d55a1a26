"""Where the repository's shared files lie."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "contract" / "examples" / "worker"
