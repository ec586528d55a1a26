"""Samplers, noise levels, and the clean picture after a step."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

from safelight_worker.schedulers import (
    beta_levels,
    first_step,
    flux_scheduler,
    given_levels,
    sdxl_scheduler,
    shifted,
    unipc,
    watch_clean,
)

SDXL = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
SAMPLERS = ("Euler a", "DPM++ 2M Karras", "DPM++ SDE Karras")


def walk(scheduler: Any, steps: int | None, seed: int = 1) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Runs a scheduler over a model that always points at 0.25; the last sample and the clean ones seen on the way."""
    if steps is not None:
        scheduler.set_timesteps(steps)
    flow = hasattr(scheduler, "levels") or scheduler.config.get("prediction_type") == "flow_prediction"
    flow = flow or isinstance(scheduler, FlowMatchEulerDiscreteScheduler)
    generator = torch.Generator("cpu").manual_seed(seed)
    sample = torch.randn(1, 4, 4, 4, generator=generator) * (1 if flow else scheduler.init_noise_sigma)
    clean: list[torch.Tensor] = []
    stop = watch_clean(scheduler, lambda give: clean.append(give()))
    for time in scheduler.timesteps:
        scaled = sample if flow else scheduler.scale_model_input(sample, time)
        output = scaled - 0.25 if flow else scaled * 0.9
        named = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
        sample = scheduler.step(output, time, sample, **named, return_dict=False)[0]
    stop()
    return sample, clean


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_last_clean_picture_is_the_result(sampler: str) -> None:
    result, clean = walk(sdxl_scheduler(sampler, SDXL, 5), 6)
    assert torch.allclose(clean[-1], result, atol=1e-4)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_seed_gives_the_same_noise(sampler: str) -> None:
    first, again = (walk(sdxl_scheduler(sampler, SDXL, 5), 6)[0] for _ in range(2))
    assert torch.equal(first, again)


def test_the_sde_sampler_follows_its_own_seed() -> None:
    first, other = (walk(sdxl_scheduler("DPM++ SDE Karras", SDXL, seed), 6)[0] for seed in (5, 6))
    assert not torch.equal(first, other)


def test_unknown_samplers_are_no_samplers() -> None:
    with pytest.raises(KeyError):
        sdxl_scheduler("DDIM", SDXL, 1)
    with pytest.raises(KeyError):
        flux_scheduler("DDIM", {}, 3.0)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_watching_keeps_the_signature_and_ends(sampler: str) -> None:
    scheduler = sdxl_scheduler(sampler, SDXL, 5)
    before = inspect.signature(scheduler.step)
    stop = watch_clean(scheduler, lambda _: None)
    assert inspect.signature(scheduler.step) == before
    assert "step" in scheduler.__dict__
    stop()
    assert "step" not in scheduler.__dict__


def test_flux_shifts_by_size_or_by_a_fixed_amount() -> None:
    by_size, fixed = flux_scheduler("Euler", {}, 3.0), flux_scheduler("flow-matching", {}, 2.0)
    sigmas = [1.0, 0.75, 0.5, 0.25]
    by_size.set_timesteps(sigmas=sigmas, mu=1.0)
    small = by_size.sigmas.clone()
    by_size.set_timesteps(sigmas=sigmas, mu=1.15)
    assert not torch.equal(small, by_size.sigmas)
    fixed.set_timesteps(sigmas=sigmas, mu=1.0)
    assert fixed.sigmas.tolist()[:4] == pytest.approx([shifted(sigma, 2.0) for sigma in sigmas])


def test_levels_of_the_four_step_model() -> None:
    assert beta_levels(4, 8.0) == pytest.approx((1, 0.974, 0.889, 0.632), abs=2e-3)
    assert beta_levels(4, 5.0) == pytest.approx((1, 0.959, 0.834, 0.516), abs=2e-3)


def test_levels_are_the_quantiles_of_the_beta_distribution() -> None:
    from scipy.stats import beta

    expected = [shifted(float(beta.ppf(1 - step / 20, 0.6, 0.6)), 8.0) for step in range(20)]
    assert beta_levels(20, 8.0) == pytest.approx(expected, abs=2e-5)


def test_given_levels_without_noise_are_plain_flow_matching() -> None:
    levels = beta_levels(4, 8.0)
    ours = given_levels(levels, 0.0, 1)
    theirs = FlowMatchEulerDiscreteScheduler(shift=1.0)
    theirs.set_timesteps(sigmas=list(levels))
    result, clean = walk(ours, 4)
    assert torch.allclose(result, walk(theirs, None)[0], atol=1e-6)
    assert torch.allclose(clean[-1], result, atol=1e-6)
    assert ours.sigmas.tolist() == pytest.approx([*levels, 0.0])


def test_given_levels_with_noise_follow_their_seed() -> None:
    levels = beta_levels(4, 8.0)
    first, again, other = (walk(given_levels(levels, 1.0, seed), 4)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, walk(given_levels(levels, 0.0, 1), 4)[0])
    assert torch.allclose(first, other, atol=2) and not torch.equal(first, other)


def test_a_trimmed_run_has_the_last_steps_of_the_whole_one() -> None:
    whole, last = unipc({}, 5.0), unipc({}, 5.0, skipped=2)
    usual = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)
    for scheduler in (whole, last, usual):
        scheduler.set_timesteps(8)
    assert torch.equal(whole.timesteps, usual.timesteps)
    assert torch.equal(last.timesteps, usual.timesteps[2:])
    assert torch.equal(last.sigmas, usual.sigmas[2:])
    result, clean = walk(last, 8)
    assert torch.isfinite(result).all()
    assert torch.allclose(clean[-1], result, atol=1e-4)


def test_strength_runs_its_share_of_the_steps_rounded_up() -> None:
    assert [8 - first_step(8, strength) for strength in (1, 0.7, 0.5, 0.25, 0.05, 0)] == [8, 6, 4, 2, 1, 0]
    assert [4 - first_step(4, strength) for strength in (1, 0.75, 0.7, 0.5)] == [4, 3, 3, 2]
    for steps, share in itertools.product(range(1, 61), range(21)):
        assert steps - first_step(steps, share / 20) == -(-steps * share // 20)
