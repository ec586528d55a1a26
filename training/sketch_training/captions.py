"""Sentences about scenes, and their tokens."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from sketch_training import phrases
from sketch_training.labels import Scene, Subject

NOBODY = -1


@dataclass(frozen=True)
class Caption:
    """A sentence and, for each of its words, the index of the subject it speaks of, or NOBODY."""

    text: str
    owners: tuple[int, ...]


Piece = tuple[str, int]


def words_of(text: str) -> list[str]:
    """Words as the model reads them: letters and digits, in lower case."""
    return re.findall(r"[a-z0-9]+", text.lower())


def describe(scene: Scene, rng: random.Random, *, full: bool = False) -> Caption:
    """One of many captions. `full` names every label; otherwise parts are left out at random."""
    return _Writer(scene, rng, full).write()


class _Writer:
    def __init__(self, scene: Scene, rng: random.Random, full: bool) -> None:
        self._scene = scene
        self._rng = rng
        self._full = full

    def write(self) -> Caption:
        rng, full = self._rng, self._full
        subjects = [self._subject(place, one) for place, one in enumerate(self._scene.subjects)]
        rng.shuffle(subjects)
        joint = rng.choice(phrases.JOINTS)
        head: list[Piece] = []
        for place, pieces in enumerate(subjects):
            head += ([(joint, NOBODY)] if place else []) + pieces
        around = [[(text, NOBODY)] for text in self._surroundings()]
        if not full:
            rng.shuffle(around)
        parts = [head, *around]
        if not full and rng.random() < 0.2:
            rng.shuffle(parts)
        comma: Piece = (rng.choice((" ", ", ")), NOBODY)
        pieces = [piece for part in parts if part for piece in (comma, *part)]
        if not full:
            pieces = self._dressed(pieces)
        return _caption(pieces)

    def _subject(self, place: int, one: Subject) -> list[Piece]:
        rng = self._rng
        words = [rng.choice(phrases.ARTICLES)]
        if not self._full and rng.random() < 0.12:
            words.append(rng.choice(phrases.ADJECTIVES))
        if one.size != "medium" and self._says(0.8):
            words.append(rng.choice(phrases.SIZE_PHRASES[one.size]))
        if self._says(0.8):
            words.append(rng.choice(phrases.COLOUR_PHRASES[one.colour]))
        words.append(rng.choice(phrases.SUBJECT_PHRASES[one.name]))
        if self._says(0.6):
            words.append(rng.choice(phrases.POSITION_PHRASES[one.position]))
        return [(" " + word, place) for word in words if word]

    def _surroundings(self) -> list[str]:
        rng, scene = self._rng, self._scene
        texts: list[str] = []
        if self._says(0.88):
            texts.append(rng.choice(phrases.BACKDROP_PHRASES[scene.backdrop]))
        if scene.backdrop == "space":
            return texts
        if self._says(0.8):
            texts.append(rng.choice(phrases.TIME_PHRASES[scene.time]))
        if self._says(0.85 if scene.weather != "clear" else 0.25):
            texts.append(rng.choice(phrases.WEATHER_PHRASES[scene.weather]))
        if scene.mood != "plain" and self._says(0.9):
            texts.append(rng.choice(phrases.MOOD_PHRASES[scene.mood]))
        if scene.light and rng.random() < 0.5:
            texts.append(rng.choice(phrases.LIGHT_PHRASES[scene.time]))
        return texts

    def _dressed(self, pieces: list[Piece]) -> list[Piece]:
        rng = self._rng
        if rng.random() < 0.25:
            pieces = [(rng.choice(phrases.LEADS) + " ", NOBODY), *pieces]
        if rng.random() < 0.1:
            pieces = [*pieces, (", " + rng.choice(phrases.TAILS), NOBODY)]
        if rng.random() < 0.2:
            return [piece for piece in pieces if piece[1] != NOBODY or piece[0] in (" ", ", ") or rng.random() > 0.08]
        return pieces

    def _says(self, share: float) -> bool:
        return self._full or self._rng.random() < share


def _caption(pieces: list[Piece]) -> Caption:
    text = re.sub(r"\s+", " ", "".join(text for text, _ in pieces)).strip(" ,")
    owners = [owner for text, owner in pieces for _ in words_of(text)]
    return Caption(text, tuple(owners))


PADDING, OPENING = 0, 1
MARKS = ("<pad>", "<cls>")
TEXT_LENGTH = 28
"""Tokens the model reads, its opening mark included."""


def vocabulary() -> list[str]:
    """The two marks and every word of every phrase, in alphabetical order."""
    groups = (
        phrases.SUBJECT_PHRASES,
        phrases.BACKDROP_PHRASES,
        phrases.TIME_PHRASES,
        phrases.WEATHER_PHRASES,
        phrases.MOOD_PHRASES,
        phrases.SIZE_PHRASES,
        phrases.POSITION_PHRASES,
        phrases.LIGHT_PHRASES,
        phrases.COLOUR_PHRASES,
    )
    texts = [text for group in groups for choices in group.values() for text in choices]
    texts += [*phrases.LEADS, *phrases.ADJECTIVES, *phrases.TAILS, *phrases.JOINTS, *phrases.ARTICLES]
    return [*MARKS, *sorted({word for text in texts for word in words_of(text)})]


class Tokenizer:
    """Word numbers; words outside the vocabulary are passed over."""

    def __init__(self, words: list[str]) -> None:
        self._numbers = {word: number for number, word in enumerate(words)}

    def encode(self, text: str) -> list[int]:
        """TEXT_LENGTH numbers: the opening mark, the known words, padding."""
        known = [self._numbers[word] for word in words_of(text) if word in self._numbers]
        numbers = [OPENING, *known][:TEXT_LENGTH]
        return numbers + [PADDING] * (TEXT_LENGTH - len(numbers))

    def owners(self, caption: Caption) -> list[int]:
        """Owner of each token of `encode(caption.text)`; NOBODY for marks and padding."""
        kept = [
            owner for word, owner in zip(words_of(caption.text), caption.owners, strict=True) if word in self._numbers
        ]
        owners = [NOBODY, *kept][:TEXT_LENGTH]
        return owners + [NOBODY] * (TEXT_LENGTH - len(owners))
