"""words.json: the vocabulary in groups, for prompts to be completed and pages to list."""

from __future__ import annotations

from sketch_training import phrases
from sketch_training.captions import words_of
from sketch_training.labels import (
    BACKDROPS,
    COLOURS,
    SHAPES,
    SUBJECTS,
    USUAL_COLOURS,
    backdrop_held_out,
    colour_held_out,
)


def words_file() -> dict[str, object]:
    """What the file holds."""

    def flat(group: phrases.Phrases) -> list[str]:
        return sorted({word for texts in group.values() for text in texts for word in words_of(text)})

    return {
        "colours": flat(phrases.COLOUR_PHRASES),
        "sizes": [*flat(phrases.SIZE_PHRASES), "medium"],
        "places": ["left", "right", "center", "centre", "middle"],
        "adjectives": phrases.ADJECTIVES,
        "usual_colours": USUAL_COLOURS,
        "phrases": {
            "subjects": phrases.SUBJECT_PHRASES,
            "backdrops": phrases.BACKDROP_PHRASES,
            "times": phrases.TIME_PHRASES,
            "weathers": phrases.WEATHER_PHRASES,
            "moods": {mood: texts for mood, texts in phrases.MOOD_PHRASES.items() if texts},
            "sizes": phrases.SIZE_PHRASES,
            "positions": phrases.POSITION_PHRASES,
            "colours": phrases.COLOUR_PHRASES,
            "lights": phrases.LIGHT_PHRASES,
        },
        "shapes": SHAPES,
        "heldout": {
            "colour": [[s, c] for s in SUBJECTS for c in COLOURS if colour_held_out(s, c)],
            "backdrop": [[s, b] for s in SUBJECTS for b in BACKDROPS if backdrop_held_out(s, b)],
        },
    }
