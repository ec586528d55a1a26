"""The catalog's samplers as schedulers, noise levels of the video models, and the clean picture after a step."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    DPMSolverSDEScheduler,
    EulerAncestralDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
)

Config = Mapping[str, Any]


def sdxl_scheduler(sampler: str, config: Config, seed: int) -> Any:
    """The scheduler of an SDXL sampler of the catalog, built from the model's own scheduler configuration.

    KeyError for an unknown name. The SDE one draws its noise from `seed`, not from the generator of the call.
    """
    makers: Mapping[str, Callable[[], Any]] = {
        "Euler a": lambda: EulerAncestralDiscreteScheduler.from_config(config),
        "DPM++ 2M Karras": lambda: DPMSolverMultistepScheduler.from_config(config, use_karras_sigmas=True),
        "DPM++ SDE Karras": lambda: DPMSolverSDEScheduler.from_config(
            config, use_karras_sigmas=True, noise_sampler_seed=seed
        ),
    }
    return makers[sampler]()


def flux_scheduler(sampler: str, config: Config, fixed_shift: float) -> Any:
    """`Euler` shifts the noise levels by the size of the picture, `flow-matching` by `fixed_shift` at every size."""
    if sampler == "flow-matching":
        return FlowMatchEulerDiscreteScheduler.from_config(config, use_dynamic_shifting=False, shift=fixed_shift)
    if sampler != "Euler":
        raise KeyError(sampler)
    return FlowMatchEulerDiscreteScheduler.from_config(config, use_dynamic_shifting=True)


def first_step(steps: int, strength: float) -> int:
    """How many first steps a strength in 0..1 leaves out: 1 leaves out none, 0 all; ceil(steps·strength) run."""
    if strength <= 0:
        return steps
    return steps - max(1, math.ceil(steps * min(strength, 1.0) - 1e-9))


def shifted(level: float, shift: float) -> float:
    """A noise level in 0..1 moved up as flow models do for large pictures."""
    return shift * level / (1 + (shift - 1) * level)


def beta_levels(steps: int, shift: float) -> tuple[float, ...]:
    """Noise levels from 1 downwards, dense at both ends: quantiles of beta(0.6, 0.6), shifted. Without the final 0."""
    return tuple(shifted(_beta_quantile(1 - step / steps), shift) for step in range(steps))


def _beta_quantile(share: float, shape: float = 0.6, cells: int = 4096) -> float:
    """The quantile of the symmetric beta distribution, to 1e-6 or better.

    With x = sin²(angle) the density is smooth: sin^(2·shape-1)·cos^(2·shape-1), integrated by the midpoint rule.
    """
    if share >= 1:
        return 1.0
    width = math.pi / 2 / cells
    weights = [
        (math.sin(angle) * math.cos(angle)) ** (2 * shape - 1) for angle in ((i + 0.5) * width for i in range(cells))
    ]
    wanted, seen = share * sum(weights), 0.0
    for index, weight in enumerate(weights):
        if seen + weight >= wanted:
            return math.sin((index + (wanted - seen) / weight) * width) ** 2
        seen += weight
    return 1.0


class GivenLevels(FlowMatchEulerDiscreteScheduler):  # type: ignore[misc,unused-ignore]
    """Flow matching over a list of noise levels that is given beforehand, plain (`eta` 0) or ancestral (`eta` 1).

    The video pipelines neither pass sigmas nor a generator, so both are set here per job. Build it with shift=1.
    """

    levels: Sequence[float] = ()
    eta = 0.0
    generator: torch.Generator | None = None

    def set_timesteps(self, num_inference_steps: int | None = None, device: Any = None, **_: Any) -> None:
        """Takes the given levels, however many steps are asked for."""
        super().set_timesteps(sigmas=list(self.levels), device=device)

    def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, **_: Any) -> tuple[torch.Tensor]:
        """One step down; with eta above 0 further down than wanted, and up again with fresh noise."""
        if self.step_index is None:
            self._init_step_index(timestep)
        now, after = (float(level) for level in self.sigmas[self.step_index : self.step_index + 2])
        down = after * (1 + (after / now - 1) * self.eta)
        moved = sample.float() + (down - now) * model_output.float()
        if down < after:
            keep = (1 - after) / (1 - down)
            noise = torch.randn(moved.shape, generator=self.generator)
            moved = keep * moved + math.sqrt(after**2 - (keep * down) ** 2) * noise.to(moved.device)
        self._step_index += 1
        return (moved.to(sample.dtype),)


class TrimmedUniPC(UniPCMultistepScheduler):  # type: ignore[misc,unused-ignore]
    """UniPC that leaves out its first `skipped` steps, for runs that begin with a picture instead of noise."""

    skipped = 0

    def set_timesteps(self, num_inference_steps: int | None = None, device: Any = None, **rest: Any) -> None:
        """The usual steps without the first ones."""
        super().set_timesteps(num_inference_steps, device=device, **rest)
        if self.skipped:
            self.sigmas: torch.Tensor = self.sigmas[self.skipped :]
            self.timesteps: torch.Tensor = self.timesteps[self.skipped :]
            self.num_inference_steps = len(self.timesteps)


def unipc(config: Config, shift: float, skipped: int = 0) -> TrimmedUniPC:
    """The video models' usual scheduler with a fixed shift, without its first `skipped` steps."""
    made: TrimmedUniPC = TrimmedUniPC.from_config(
        config, prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=shift
    )
    made.skipped = skipped
    return made


def given_levels(levels: Sequence[float], eta: float, seed: int) -> GivenLevels:
    """A scheduler over `levels`, with noise of its own drawn from `seed`."""
    made = GivenLevels(num_train_timesteps=1000, shift=1.0)
    made.levels, made.eta = tuple(levels), eta
    made.generator = torch.Generator("cpu").manual_seed(seed)
    return made


def watch_clean(scheduler: Any, seen: Callable[[Callable[[], torch.Tensor]], None]) -> Callable[[], None]:
    """Calls `seen` after every step with a function that gives the clean latents as the model sees them then.

    Returns what ends the watching. The signature of `step` is kept: pipelines look at it to decide what they pass.
    """
    inner = scheduler.step

    @functools.wraps(inner)
    def step(model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        out = inner(model_output, timestep, sample, *args, **kwargs)
        seen(lambda: _clean(scheduler, out, model_output, sample))
        return out

    scheduler.step = step

    def stop() -> None:
        if scheduler.__dict__.get("step") is step:
            del scheduler.step

    return stop


def _clean(scheduler: Any, out: Any, model_output: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
    if isinstance(out, tuple) and len(out) > 1:
        return torch.as_tensor(out[1])
    kept = getattr(scheduler, "model_outputs", None)
    if kept and kept[-1] is not None:
        return torch.as_tensor(kept[-1])
    return torch.as_tensor(sample - scheduler.sigmas[scheduler.step_index - 1] * model_output)
