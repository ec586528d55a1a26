"""How figures are counted, on pictures whose faults are known."""

from __future__ import annotations

import random

import numpy as np
import torch

from sketch_training.captions import vocabulary, words_of
from sketch_training.labels import COLOURS, SIZES, SUBJECTS, Scene, Subject
from sketch_training.networks.judge import SUBJECT_PARTS
from sketch_training.picture_figures import rows
from sketch_training.stages.dataset import random_move
from sketch_training.stages.evaluate import worse
from sketch_training.studio import keep_given
from sketch_training.verdict import Tally, judge_subjects


def _scene(*subjects: Subject) -> Scene:
    return Scene(1, 64, 64, "meadow", "day", "clear", "plain", False, subjects)


def _seen(*subjects: tuple[str, str]) -> torch.Tensor:
    """What a judge says that sees these things, (name, colour), all of them small and on the left."""
    told = torch.zeros(len(SUBJECTS), sum(SUBJECT_PARTS))
    for name, colour in subjects:
        row = told[SUBJECTS.index(name)]
        row[0] = 9
        row[1 + COLOURS.index(colour)] = 9
    return told


def _cells(*places: tuple[int, int, str]) -> torch.Tensor:
    cells = torch.zeros(8, 8, dtype=torch.long)
    for row, column, name in places:
        cells[row : row + 2, column : column + 2] = SUBJECTS.index(name) + 1
    return cells


WIZARD, DRAGON = Subject("wizard", "blue", "small", "left"), Subject("dragon", "green", "small", "right")


def test_colours_of_a_pair_are_bound_swapped_or_neither() -> None:
    cases = {
        (("wizard", "blue"), ("dragon", "green")): (100.0, 100.0, 0.0),
        (("wizard", "green"), ("dragon", "blue")): (0.0, 0.0, 100.0),
        (("wizard", "blue"), ("dragon", "red")): (50.0, 0.0, 0.0),
        (("wizard", "blue"), ("owl", "green")): (50.0, 0.0, 0.0),
    }
    for seen, wanted in cases.items():
        tally = Tally()
        judge_subjects(_seen(*seen), _cells(), _scene(WIZARD, DRAGON), tally)
        found = tally.percentages()
        assert (found["bound"], found["both bound"], found["swapped"]) == wanted, seen
        assert "doubled" not in found


def test_a_second_one_and_a_second_thing_are_told_apart() -> None:
    cases = {
        ((3, 0, "wizard"),): (0.0, 0.0),
        ((3, 0, "wizard"), (3, 5, "wizard")): (100.0, 100.0),
        ((3, 0, "wizard"), (3, 5, "dragon")): (0.0, 100.0),
        ((3, 0, "wizard"), (3, 2, "dragon")): (0.0, 0.0),
    }
    for places, wanted in cases.items():
        tally = Tally()
        judge_subjects(_seen(("wizard", "blue")), _cells(*places), _scene(WIZARD), tally)
        found = tally.percentages()
        assert (found["doubled"], found["second thing"]) == wanted, places


def test_rows_keep_to_the_words_of_both_models() -> None:
    without = {"penguin", "moth", "azure", "spooky"}
    words = frozenset(vocabulary()) - without
    for row in rows(12, words):
        assert len(row.scenes) == len(row.prompts) == 12
        assert all(set(words_of(prompt)) <= words for prompt in row.prompts), row.name
        assert all(scene.mood != "spooky" for scene in row.scenes)
        assert all(one.name != "penguin" for scene in row.scenes for one in scene.subjects)


def test_a_mover_changes_its_place_alone() -> None:
    rng = random.Random(1)
    first, last = random_move(rng, _scene(WIZARD))
    assert last.subjects[0].position != first.subjects[0].position
    assert (last.seed, last.subjects[0].colour, last.subjects[0].size) == (first.seed, "blue", SIZES[0])


def test_worse_figures_are_listed_whichever_way_they_point() -> None:
    table = {
        "square": {"this": {"subject": 90.0, "doubled": 2.0}, "other": {"subject": 91.0, "doubled": 3.0}},
        "motion": {
            "this": {"image to clip, wrong": 9.0, "one mover, half way in its place, made": 80.0, "loop: seam": 9.0},
            "other": {"image to clip, wrong": 8.0, "one mover, half way in its place, made": 20.0, "loop: seam": 1.0},
        },
    }
    assert worse(table) == ["square, subject: 90.0 after 91.0", "motion, image to clip, wrong: 9.0 after 8.0"]


def test_what_the_model_leaves_as_it_is_is_taken_from_the_picture_that_was_given() -> None:
    def row(*colours: int) -> np.ndarray:
        return np.array([[[colour] * 3 for colour in colours]], np.uint8)

    drawn = np.stack([row(1, 2, 3, 4), row(1, 9, 3, 8)])
    first, last = (row(1, 2, 0, 5), row(11, 12, 13, 14)), (row(0, 2, 3, 5), row(21, 22, 23, 24))
    kept = keep_given(drawn, [first, last])
    assert kept[..., 0].tolist() == [[[11, 12, 23, 4]], [[11, 9, 23, 8]]]
    assert keep_given(drawn, [last, first])[..., 0].tolist() == [[[11, 22, 23, 4]], [[11, 9, 23, 8]]]
    assert keep_given(drawn, []) is drawn
