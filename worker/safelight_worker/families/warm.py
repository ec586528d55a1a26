"""What the families have in common: components that stay in memory, reasons for not running, and notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from safelight_worker import loading, shortage
from safelight_worker.families import Job, Placement, Report, Unavailable, WeightsDamaged, WeightsMissing
from safelight_worker.loading import Recipe
from safelight_worker.memory import Plan
from safelight_worker.prompts import token_count
from safelight_worker.settings import SettingsError

LONGEST_TEXT = 512
"""Tokens that the T5 encoders read."""


class Warm:
    """Components of a loaded model, and the one pipeline that is set up with them."""

    def __init__(self, parts: dict[str, Any], plan: Plan, place: Placement) -> None:
        self.parts = parts
        self.plan = plan
        self.place = place
        self._pipe: Any = None

    def pipeline(self, kind: Any, scheduler: Any, **more: Any) -> Any:
        """A pipeline of this kind with this scheduler. Kept while the same kind is asked for."""
        if type(self._pipe) is kind:
            self._pipe.scheduler = scheduler
            return self._pipe
        if self._pipe is not None and self.plan.offload:
            self._pipe.remove_all_hooks()
        self._pipe = kind(**self.parts, scheduler=scheduler, **more)
        loading.settle(self._pipe, self.plan, self.place.device)
        return self._pipe

    def drop(self) -> None:
        """Lets go of everything."""
        self._pipe = None
        self.parts = {}
        shortage.give_back_memory()


def reason_of(make: Callable[[], Recipe]) -> Unavailable | None:
    """Why what a recipe names cannot be loaded, None if it can. Reads headers and configurations."""
    try:
        make().look().refuse()
    except (WeightsMissing, WeightsDamaged, SettingsError) as error:
        return reason(error)
    return None


def reason(error: Exception) -> Unavailable:
    """An error of loading as the reason for not being available, one sentence."""
    codes = {WeightsMissing: "weights_missing", WeightsDamaged: "weights_damaged"}
    return Unavailable(codes.get(type(error), "not_configured"), f"{str(error).rstrip('.')}.")


def dtypes_for(
    device: str, names: Sequence[str], usual: torch.dtype, exact: Sequence[str] = ()
) -> Mapping[str, torch.dtype]:
    """float32 on a processor; elsewhere `usual`, and float32 for the components named in `exact`."""
    plain = device == "cpu"
    return {name: torch.float32 if plain or name in exact else usual for name in names}


def note_unused_negative(job: Job, report: Report, guidance: float | None) -> None:
    """Says that a negative prompt has no effect: at guidance 1 or below, or (None) with this model at all."""
    if not job.negative_prompt.strip():
        return
    if guidance is None:
        report.warn("no_effect", "negative_prompt", "This model runs without a negative prompt.")
    elif guidance <= 1:
        report.warn("no_effect", "negative_prompt", "At guidance 1 the negative prompt has no effect.")


def note_long_prompt(tokenizer: Any, prompt: str, report: Report) -> None:
    """Says that the end of a prompt is not read."""
    count = token_count(tokenizer, prompt)
    if count > LONGEST_TEXT:
        detail = f"The prompt has {count} tokens; the model reads the first {LONGEST_TEXT}."
        report.warn("prompt_too_long", "prompt", detail)


def note_unchanged(report: Report) -> None:
    """Says that strength 0 gives back what was sent."""
    report.warn("strength_zero", "denoising_strength", "At strength 0 the picture is returned as it is.")
