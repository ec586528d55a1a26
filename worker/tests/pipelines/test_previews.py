"""The linear map from latents to colours, and how often it is used."""

from __future__ import annotations

from collections.abc import Callable

import numpy
import pytest
import torch
from heard import Heard

from safelight_worker.families import Job, Loaded
from safelight_worker.latents import LatentMap, fit_map, picture_map, video_map
from safelight_worker.running import MOST_PREVIEWS
from safelight_worker.tiny import PooledWanVae, tiny_pony


def test_a_known_map_is_found_again() -> None:
    random = numpy.random.default_rng(4)
    weights, bias = random.normal(size=(16, 3)), random.normal(size=3)
    latents = random.normal(size=(500, 16)).astype(numpy.float32)
    found = fit_map(latents, (latents @ weights + bias).astype(numpy.float32))
    assert numpy.allclose(found.weights, weights, atol=1e-4)
    assert numpy.allclose(found.bias, bias, atol=1e-4)


def test_the_map_of_a_linear_autoencoder_shows_its_colours() -> None:
    vae = PooledWanVae(
        base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    colours = video_map(vae)
    clip = torch.empty(1, 3, 5, 64, 64)
    for channel, level in enumerate((0.5, -0.25, 0.0)):
        clip[:, channel] = level
    mean, std = (torch.tensor(values).view(16, 1, 1, 1) for values in (vae.config.latents_mean, vae.config.latents_std))
    shown = colours.pictures((vae.encode(clip).latent_dist.mode()[0] - mean) / std)
    assert len(shown) == 2
    assert shown[0].size == (32, 32)
    assert shown[0].getpixel((16, 16)) == pytest.approx((191, 96, 128), abs=3)


def test_the_map_of_a_picture_autoencoder_is_the_best_one() -> None:
    with torch.no_grad():
        vae = tiny_pony().vae
    colours = picture_map(vae)
    assert colours.weights.shape == (4, 3)
    assert numpy.isfinite(colours.weights).all()


def test_numbers_that_are_none_are_shown_as_some_colour() -> None:
    colours = LatentMap(numpy.ones((4, 3), numpy.float32), numpy.zeros(3, numpy.float32))
    picture = colours.pictures(torch.full((4, 2, 2), float("nan")))[0]
    assert picture.size == (8, 8)


def test_many_steps_have_few_previews(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    heard = Heard()
    warm("pony").run(job_for("pony", "txt2img", steps=24), heard)
    assert heard.steps[-1] == (24, 24)
    assert len(heard.previews) == MOST_PREVIEWS
