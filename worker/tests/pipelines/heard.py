"""A report that keeps what it is told, and the sizes and parameters of the jobs of these tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from safelight_worker.families import Cancelled

WIDTH, HEIGHT, FRAMES = 64, 80, 9

PARAMETERS: Mapping[str, dict[str, int | float | str]] = {
    "pony": {"steps": 4, "cfg_scale": 6.0, "sampler": "Euler a", "clip_skip": 2},
    "flux": {"steps": 4, "guidance_scale": 3.5, "sampler": "Euler"},
    "phr00t": {"steps": 4, "cfg_scale": 1.0, "lighting_variant": "low_noise", "num_frames": FRAMES, "fps": 16},
    "anisora": {"steps": 8, "guidance_scale": 1.0, "motion_score": 3.0, "num_frames": FRAMES, "fps": 16},
}


class Heard:
    """A report that keeps what it is told; `stop_at` makes the given call of `check` raise Cancelled."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stages: list[str] = []
        self.steps: list[tuple[int, int]] = []
        self.previews: list[tuple[list[Image.Image], float]] = []
        self.warnings: list[tuple[str, str | None]] = []
        self.checks = 0
        self.stop_at = stop_at

    def stage(self, name: str, detail: str | None = None) -> None:
        self.stages.append(name)

    def step(self, done: int, total: int) -> None:
        self.steps.append((done, total))

    def preview(self, images: Sequence[Image.Image], fps: float) -> None:
        self.previews.append((list(images), fps))

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        self.warnings.append((code, parameter))

    def check(self) -> None:
        self.checks += 1
        if self.checks == self.stop_at:
            raise Cancelled
