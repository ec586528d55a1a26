"""The rule that puts a model into memory."""

from __future__ import annotations

import itertools

import pytest

from safelight_worker.families import OutOfMemory
from safelight_worker.memory import Demand, choose, gigabytes

GB = 10**9
TWO_EXPERTS = Demand(
    {"text_encoder": 11 * GB, "transformer": 29 * GB, "transformer_2": 29 * GB, "vae": GB},
    {"transformer": 15 * GB, "transformer_2": 15 * GB},
    12 * GB,
)
HOST = 200 * GB


@pytest.mark.parametrize(
    ("free", "mode", "offload"),
    [
        (140, "full", False),
        (80, "offload", True),
        (48, "offload", True),
        (40, "quantised", True),
        (30, "quantised", True),
    ],
)
def test_takes_the_first_plan_that_fits(free: int, mode: str, offload: bool) -> None:
    plan = choose(TWO_EXPERTS, free * GB, HOST)
    assert (plan.mode, plan.offload) == (mode, offload)
    assert plan.needed <= free * GB


def test_prefers_small_storage_where_it_is_told_to() -> None:
    assert choose(TWO_EXPERTS, 80 * GB, HOST, prefer_quantised=True).mode == "quantised"
    assert not choose(TWO_EXPERTS, 80 * GB, HOST, prefer_quantised=True).offload
    assert choose(TWO_EXPERTS, 140 * GB, HOST, prefer_quantised=True).mode == "full"


def test_little_main_memory_rules_out_moving_components_about() -> None:
    plan = choose(TWO_EXPERTS, 60 * GB, 50 * GB)
    assert (plan.mode, plan.offload) == ("quantised", False)


def test_says_what_is_needed_and_what_is_free() -> None:
    with pytest.raises(OutOfMemory) as short:
        choose(TWO_EXPERTS, 20 * GB, HOST)
    assert (short.value.needed, short.value.free) == (27 * GB, 20 * GB)
    assert "27.0 GB" in str(short.value) and "20.0 GB" in str(short.value)


def test_a_wanted_mode_is_taken_or_refused() -> None:
    assert choose(TWO_EXPERTS, 140 * GB, HOST, wanted="offload").offload
    assert choose(TWO_EXPERTS, 140 * GB, HOST, wanted="quantised").mode == "quantised"
    with pytest.raises(OutOfMemory):
        choose(TWO_EXPERTS, 80 * GB, HOST, wanted="full")


def test_a_processor_holds_everything_or_nothing() -> None:
    assert choose(TWO_EXPERTS, 100 * GB, 100 * GB, on_processor=True).mode == "full"
    assert choose(TWO_EXPERTS, 60 * GB, 60 * GB, on_processor=True, wanted="quantised").mode == "quantised"
    for wanted in (None, "offload"):
        with pytest.raises(OutOfMemory):
            choose(TWO_EXPERTS, 60 * GB, 60 * GB, on_processor=True, wanted=wanted)


def test_more_memory_never_makes_it_worse() -> None:
    order = {"full": 0, "offload": 1, "quantised": 2}
    for preferred in (False, True):
        ranks = []
        for free in range(0, 160, 2):
            try:
                plan = choose(TWO_EXPERTS, free * GB, HOST, prefer_quantised=preferred)
            except OutOfMemory:
                ranks.append(9)
                continue
            assert plan.needed <= free * GB
            ranks.append(order[plan.mode] if not preferred else 0 if plan.mode == "full" else 1)
        assert all(earlier >= later for earlier, later in itertools.pairwise(ranks))


def test_sizes_read_well() -> None:
    assert [gigabytes(size) for size in (1_500_000, 999_000_000, 24_334_498_767)] == ["2 MB", "999 MB", "24.3 GB"]
