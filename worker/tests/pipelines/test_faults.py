"""Numbers that are not finite, and too little memory: one clear error, and on to the next job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from heard import Heard

from safelight_worker import messages
from safelight_worker.child import failure_of
from safelight_worker.families import Cancelled, Job, Loaded, NonFinite, OutOfMemory, Placement, family_named
from safelight_worker.latents import picture_map
from safelight_worker.running import pixels
from safelight_worker.settings import ModelSpec
from safelight_worker.shortage import out_of_memory

MODES = [("pony", "txt2img"), ("flux", "img2img"), ("phr00t", "t2v"), ("anisora", "i2v")]


def denoiser(loaded: Any) -> Any:
    parts = loaded.warm.parts
    return parts.get("transformer") or parts["unet"]


@pytest.mark.parametrize(("model", "mode"), MODES)
def test_numbers_that_are_not_finite_end_the_run(
    model: str, mode: str, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    loaded, job = warm(model), job_for(model, mode)
    before = loaded.run(job, Heard()).images

    def spoil(_module: Any, _inputs: Any, output: Any) -> Any:
        return tuple(part * float("nan") for part in output)

    hooks = [denoiser(loaded).register_forward_hook(spoil)]
    if "transformer_2" in loaded.warm.parts and loaded.warm.parts["transformer_2"] is not None:
        hooks.append(loaded.warm.parts["transformer_2"].register_forward_hook(spoil))
    heard = Heard()
    with pytest.raises(NonFinite):
        loaded.run(job, heard)
    for hook in hooks:
        hook.remove()
    assert "decode" not in heard.stages
    assert numpy.array_equal(before, loaded.run(job, Heard()).images)


@pytest.mark.parametrize(("model", "mode"), MODES)
def test_too_little_memory_is_told_with_numbers(
    model: str, mode: str, warm: Callable[[str], Loaded], job_for: Callable[..., Job]
) -> None:
    loaded, job = warm(model), job_for(model, mode)
    before = loaded.run(job, Heard()).images

    def fail(_module: Any, _inputs: Any) -> None:
        raise torch.OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 1 GiB"
        )

    hook = denoiser(loaded).register_forward_pre_hook(fail)
    second = loaded.warm.parts.get("transformer_2")
    hooks = [hook] if second is None else [hook, second.register_forward_pre_hook(fail)]
    with pytest.raises(OutOfMemory) as short:
        loaded.run(job, Heard())
    for one in hooks:
        one.remove()
    assert short.value.needed == int(2.5 * (1 << 30))
    assert "2.7 GB" in str(short.value)
    assert numpy.array_equal(before, loaded.run(job, Heard()).images)


def test_main_memory_running_out_is_told_too() -> None:
    text = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000 bytes. Error code 12"
    told = out_of_memory(RuntimeError(text), "drawing")
    assert told is not None
    assert told.needed == 4_000_000_000
    assert told.free is not None and told.free > 0
    assert out_of_memory(MemoryError(), "drawing") is not None
    assert out_of_memory(RuntimeError("shapes differ"), "drawing") is None


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_a_full_card_is_known_by_what_its_libraries_say(text: str) -> None:
    told = out_of_memory(RuntimeError(text), "drawing")
    assert told is not None
    assert "Out of memory while drawing" in str(told)


def test_other_errors_stay_what_they_are(warm: Callable[[str], Loaded], job_for: Callable[..., Job]) -> None:
    def fail(_module: Any, _inputs: Any) -> None:
        raise RuntimeError("shapes differ")

    loaded = warm("pony")
    hook = denoiser(loaded).register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        loaded.run(job_for("pony", "txt2img"), Heard())
    hook.remove()


def test_what_the_process_of_a_model_says_of_each_error() -> None:
    said = failure_of(MemoryError(), loading=False)
    assert isinstance(said, messages.Failed)
    assert (said.code, said.retryable, said.spoilt) == ("out_of_memory", True, True)
    assert "are free" in said.detail
    room = failure_of(RuntimeError("CUDA error: out of memory"), loading=True)
    assert isinstance(room, messages.NoRoom)
    assert room.free is not None and "loading" in room.detail
    unforeseen = failure_of(RuntimeError("shapes differ in /a/secret/path"), loading=False)
    assert isinstance(unforeseen, messages.Failed)
    assert (unforeseen.code, unforeseen.spoilt) == ("engine_failed", True)
    assert "secret" not in unforeseen.detail


def test_pixels_are_rounded_and_checked() -> None:
    frames = torch.tensor([0.0, 1.0, 0.5, 1.2]).view(1, 1, 2, 2).repeat(20, 3, 1, 1)
    made = pixels(frames)
    assert made.shape == (20, 2, 2, 3)
    assert made[19, :, :, 0].tolist() == [[0, 255], [128, 255]]
    frames[17, 0, 0, 0] = float("inf")
    with pytest.raises(NonFinite):
        pixels(frames)


def test_a_run_in_half_precision_that_is_stopped_while_decoding_spoils_nothing(
    tiny: dict[str, ModelSpec], job_for: Callable[..., Job]
) -> None:
    loaded: Any = family_named("pony").load(tiny["pony"], Placement(), Heard())
    for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
        loaded.warm.parts[name].half()
    vae = loaded.warm.parts["vae"]
    vae.register_to_config(force_upcast=True)
    assert numpy.isfinite(picture_map(vae).weights).all()
    for mode in ("txt2img", "img2img"):
        heard = Heard()
        first = loaded.run(job_for("pony", mode), heard).images
        for stop_at in (2, heard.checks):
            with pytest.raises(Cancelled):
                loaded.run(job_for("pony", mode), Heard(stop_at))
            assert vae.dtype == torch.float16
        assert numpy.array_equal(first, loaded.run(job_for("pony", mode), Heard()).images)
