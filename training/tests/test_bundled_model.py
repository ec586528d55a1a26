"""The model that is bundled with the engine: its graphs answer as torch does, and its words are those of this code."""

from __future__ import annotations

import json
from pathlib import Path

from sketch_training.__main__ import main
from sketch_training.captions import vocabulary
from sketch_training.words_file import words_file
from tests.runtime import ROOT, compare_graphs

MODEL = ROOT / "engine" / "model"


def test_the_bundled_graphs_answer_as_torch_does(tmp_path: Path) -> None:
    main(["parity", "--folder", str(tmp_path), "--target", str(MODEL)])
    compare_graphs(tmp_path, MODEL)


def test_the_bundled_words_are_those_of_the_code() -> None:
    assert json.loads((MODEL / "vocab.json").read_text()) == vocabulary()
    assert json.loads((MODEL / "words.json").read_text()) == json.loads(json.dumps(words_file()))
