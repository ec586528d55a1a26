"""How a model is put into memory. The rule is a pure function of sizes; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safelight_worker.families import MemoryMode, OutOfMemory

HEADROOM = 0.05
"""Share of what is free that is left alone: fragments, and what others ask for meanwhile."""


@dataclass(frozen=True)
class Demand:
    """What a model needs, in bytes.

    `parts`: weights of each component in the type that it runs in. `quantised`: the same when stored small, for
    components that can be. `working`: what a run needs beside the weights.
    """

    parts: Mapping[str, int]
    quantised: Mapping[str, int]
    working: int

    def small(self, name: str) -> int:
        """Size of a component when stored as small as it can be."""
        return self.quantised.get(name, self.parts[name])


@dataclass(frozen=True)
class Plan:
    """`quantised`: store what can be stored small. `offload`: hold one component on the device at a time."""

    quantised: bool
    offload: bool
    needed: int

    @property
    def mode(self) -> MemoryMode:
        """The plan in one word."""
        return "quantised" if self.quantised else "offload" if self.offload else "full"


def choose(
    demand: Demand,
    free: int,
    free_host: int,
    *,
    on_processor: bool = False,
    prefer_quantised: bool = False,
    wanted: MemoryMode | None = None,
) -> Plan:
    """The first plan that fits: everything, one component at a time, everything small, one small component at a time.

    `free` is free on the device and `free_host` in main memory, both before loading. `prefer_quantised` puts small
    storage before moving components about. On a processor there is nothing to move, and nothing is stored small unless
    `wanted`, which leaves only plans of that mode. OutOfMemory, with what the smallest plan needs, when none fits.
    """
    plans = _plans(demand, on_processor, prefer_quantised)
    if wanted is not None:
        plans = [plan for plan in plans if plan.mode == wanted]
    elif on_processor:
        plans = [plan for plan in plans if not plan.quantised]
    if not plans:
        raise OutOfMemory(f"This model cannot be loaded as {wanted} here.", None, free)
    usable = int(free * (1 - HEADROOM))
    for plan in plans:
        if plan.needed <= usable and (not plan.offload or _host_need(demand, plan) <= free_host):
            return plan
    least = min(plans, key=lambda plan: plan.needed)
    raise OutOfMemory(
        f"Not enough memory: {gigabytes(least.needed)} are needed at the least and {gigabytes(free)} are free.",
        least.needed,
        free,
    )


def _plans(demand: Demand, on_processor: bool, prefer_quantised: bool) -> list[Plan]:
    total, largest = sum(demand.parts.values()), max(demand.parts.values(), default=0)
    small = [demand.small(name) for name in demand.parts]
    full = Plan(False, False, total + demand.working)
    if on_processor:
        return [full, Plan(True, False, sum(small) + demand.working)]
    offload = Plan(False, True, largest + demand.working)
    quantised = Plan(True, False, sum(small) + demand.working)
    both = Plan(True, True, max(small, default=0) + demand.working)
    return [full, quantised, both, offload] if prefer_quantised else [full, offload, quantised, both]


def _host_need(demand: Demand, plan: Plan) -> int:
    return sum(demand.small(name) if plan.quantised else size for name, size in demand.parts.items())


def gigabytes(size: int) -> str:
    """A number of bytes as people read it: 1.5 GB of 10⁹ bytes, or MB below one."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def free_host_bytes() -> int:
    """Main memory that can be had without swapping, by the kernel's own estimate; 0 where it does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
