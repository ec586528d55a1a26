"""The renderer: every thing is drawn, loops close, and captions tell the truth about their words."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sketch_training import phrases
from sketch_training.captions import NOBODY, Tokenizer, describe, vocabulary, words_of
from sketch_training.drawing.scene import draw, draw_passage
from sketch_training.labels import FRAMES, SHAPES, SIZES, SUBJECTS, USUAL_COLOURS, Scene, Subject, held_out
from sketch_training.sampling import random_scene
from sketch_training.stages.dataset import random_passage
from sketch_training.verdict import connected_parts


def _alone(name: str, size: str = "large", position: str = "center") -> Scene:
    subject = Subject(name, USUAL_COLOURS[name][0], size, position)
    return Scene(1, 64, 64, "meadow", "day", "clear", "plain", False, (subject,))


def test_there_are_more_than_36_things_to_draw() -> None:
    assert len(SUBJECTS) >= 36
    assert set(phrases.SUBJECT_PHRASES) == set(SUBJECTS)


@pytest.mark.parametrize("name", SUBJECTS)
def test_each_thing_is_drawn_in_every_size_and_differs_from_all_others(name: str) -> None:
    for size in SIZES:
        frame = draw(_alone(name, size))
        assert frame.covered.sum() > 40
        assert set(np.unique(frame.cells)) <= {0, SUBJECTS.index(name) + 1}
    mine = draw(_alone(name)).rgb
    for other in SUBJECTS:
        if other != name:
            assert (draw(_alone(other)).rgb != mine).any(-1).mean() > 0.02, other


def test_a_thing_is_one_connected_part() -> None:
    for name in SUBJECTS:
        cells = draw(_alone(name)).cells
        assert connected_parts(cells > 0) == 1, name


def test_loops_close_and_move() -> None:
    rng = random.Random(3)
    for _ in range(60):
        scene = random_scene(rng)
        assert (draw(scene, 0.0).rgb == draw(scene, 1.0).rgb).all()
    for name in SUBJECTS:
        frames = [draw(_alone(name), place / FRAMES).rgb for place in range(FRAMES)]
        assert any((frame != frames[0]).any() for frame in frames), name


def test_passages_start_and_end_at_their_stills() -> None:
    rng = random.Random(4)
    for place in range(30):
        first, last = random_passage(rng, SHAPES[place % len(SHAPES)])
        assert (draw_passage(first, last, 0.0).rgb == draw(first).rgb).all()
        assert (draw_passage(first, last, 1.0).rgb == draw(last).rgb).all()


def test_held_out_pairs_never_occur_unless_asked_for() -> None:
    rng = random.Random(5)
    assert not any(held_out(random_scene(rng)) for _ in range(400))
    assert any(held_out(random_scene(rng, allow_held_out=True)) for _ in range(400))


def test_two_subjects_do_not_hide_each_other() -> None:
    rng = random.Random(6)
    for _ in range(60):
        scene = random_scene(rng, subjects=2)
        numbers = set(np.unique(draw(scene).cells))
        assert {SUBJECTS.index(one.name) + 1 for one in scene.subjects} <= numbers, scene


def test_captions_use_known_words_and_say_whose_they_are() -> None:
    rng = random.Random(7)
    words = vocabulary()
    tokenizer = Tokenizer(words)
    known = set(words)
    for place in range(500):
        scene = random_scene(rng)
        caption = describe(scene, rng, full=place % 2 == 0)
        spoken = words_of(caption.text)
        assert set(spoken) <= known
        assert len(spoken) == len(caption.owners)
        for number, one in enumerate(scene.subjects):
            mine = " ".join(word for word, owner in zip(spoken, caption.owners, strict=True) if owner == number)
            assert any(" ".join(words_of(text)) in mine for text in phrases.SUBJECT_PHRASES[one.name]), caption
        assert len(tokenizer.encode(caption.text)) == len(tokenizer.owners(caption))
    assert tokenizer.owners(describe(_alone("cat"), rng, full=True)).count(NOBODY) > 0


def test_unknown_words_are_passed_over() -> None:
    tokenizer = Tokenizer(vocabulary())
    assert tokenizer.encode("a zeppelinesque red cat") == tokenizer.encode("a red cat")
