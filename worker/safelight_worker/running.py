"""One call of a pipeline: steps, stages, previews, stopping within a step, and errors that people can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from safelight_worker.families import NonFinite, Report
from safelight_worker.latents import LatentMap
from safelight_worker.schedulers import watch_clean
from safelight_worker.shortage import give_back_memory, out_of_memory

MOST_PREVIEWS = 8

Unpack = Callable[[torch.Tensor], torch.Tensor]


class StepWatch:
    """Follows a run step by step and tells the report."""

    def __init__(
        self, pipe: Any, report: Report, steps: int, colours: LatentMap | None, fps: float, unpack: Unpack
    ) -> None:
        self.pipe = pipe
        self.report = report
        self.steps = steps
        self.colours = colours
        self.fps = fps
        self.unpack = unpack
        self.clean: torch.Tensor | None = None
        self.calls = 0
        self.begun = False

    def before_block(self, _module: Any, _inputs: Any) -> None:
        """Runs before every block of the denoiser."""
        self.report.check()
        if not self.begun:
            self.begun = True
            self.report.stage("denoise")
            self.report.step(0, self.steps)

    def before_other(self, _module: Any, _inputs: Any) -> None:
        """Runs before every block of encoders and of the autoencoder."""
        self.report.check()

    def seen(self, clean: Callable[[], torch.Tensor]) -> None:
        """Keeps the clean latents of a step that a preview is made of."""
        self.clean = clean() if self.colours is not None and self._is_due(self.calls) else None

    def after_step(self, pipe: Any, index: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        """The pipeline's own callback."""
        self.report.check()
        self.calls = index + 1
        if not bool(torch.isfinite(values["latents"]).all()):
            raise NonFinite("The model made numbers that are not finite, the picture would be black. Try another seed.")
        total = max(1, int(pipe.num_timesteps))
        self.report.step(self.calls * self.steps // total, self.steps)
        if self.clean is not None and self.colours is not None:
            self.report.preview(self.colours.pictures(self.unpack(self.clean)[0]), self.fps)
            self.clean = None
        if self.calls >= total:
            self.report.stage("decode")
        return values

    def _is_due(self, call: int) -> bool:
        """The first step, and a few more, evenly spread; never so many that they cost time worth mentioning."""
        return call % max(1, -(-self.steps // MOST_PREVIEWS)) == 0


@contextmanager
def _hooked(pipe: Any, watch: StepWatch) -> Iterator[None]:
    with ExitStack() as stack:
        for name in ("transformer", "transformer_2", "unet"):
            for block in _blocks(getattr(pipe, name, None)):
                stack.callback(block.register_forward_pre_hook(watch.before_block).remove)
        for name in ("text_encoder", "text_encoder_2", "vae"):
            for block in _blocks(getattr(pipe, name, None)):
                stack.callback(block.register_forward_pre_hook(watch.before_other).remove)
        stack.callback(watch_clean(pipe.scheduler, watch.seen))
        yield


def _blocks(model: Any) -> list[Any]:
    """The members of a model's lists of layers: tens of points in a step at which it can be stopped.

    Single layers are left out: they are many, and none of them takes long.
    """
    if model is None:
        return []
    lists = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    return [block for module in lists for block in module if any(True for _ in block.children())]


def run_pipeline(
    pipe: Any,
    arguments: Mapping[str, Any],
    report: Report,
    *,
    steps: int,
    seed: int,
    colours: LatentMap | None,
    fps: float = 0.0,
    unpack: Unpack = lambda latents: latents,
) -> NDArray[numpy.uint8]:
    """Calls the pipeline and returns (F, H, W, 3), F = 1 for a picture.

    `steps` is what is told as the number of steps. Errors: OutOfMemory with numbers, NonFinite, and whatever the report
    raises to stop; the pipeline takes the next call in any case.
    """
    torch.manual_seed(seed)
    exact = pipe.vae.dtype
    watch = StepWatch(pipe, report, steps, colours, fps, unpack)
    try:
        with _hooked(pipe, watch), torch.no_grad():
            report.check()
            made = pipe(
                **arguments,
                generator=torch.Generator("cpu").manual_seed(seed),
                output_type="pt",
                callback_on_step_end=watch.after_step,
                callback_on_step_end_tensor_inputs=["latents"],
            )
            frames = made.frames[0] if hasattr(made, "frames") else made.images
            return pixels(frames)
    except (RuntimeError, MemoryError) as error:
        told = out_of_memory(error, "drawing")
        if told is None:
            raise
        raise told from error
    finally:
        watch.clean = None
        if pipe.vae.dtype != exact:
            # The SDXL pipelines lift the autoencoder to float32 for a while; a run that was stopped then left it there.
            pipe.vae.to(exact)
        pipe.maybe_free_model_hooks()
        if torch.cuda.is_available():
            give_back_memory()


def pixels(frames: torch.Tensor, at_once: int = 16) -> NDArray[numpy.uint8]:
    """(F, 3, H, W) in 0..1 to (F, H, W, 3) in 0..255. NonFinite when there is anything else in it."""
    parts = []
    for start in range(0, frames.shape[0], at_once):
        part = frames[start : start + at_once]
        if not bool(torch.isfinite(part).all()):
            raise NonFinite("The decoded picture has numbers that are not finite.")
        part = (part.float() * 255).round().clamp(0, 255).to(torch.uint8)
        parts.append(part.permute(0, 2, 3, 1).contiguous().cpu().numpy())
    return numpy.concatenate(parts)
