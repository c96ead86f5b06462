"""Every stage reads what it says: its digest follows that and nothing else, and sweeps share it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe.network import fed
from simulator.errors import InputError
from simulator.study import pipeline
from simulator.study.pipeline import Shared, compute, prepare


@pytest.fixture(scope="module")
def digits() -> Workload:
    return Workload.load("digits-mlp")


@pytest.fixture(scope="module")
def chip() -> Chip:
    return Chip.load("generic-22nm")


# a change of the chip, the stages whose digest follows it: mapping and Plan, work, ledger
CHANGES = [
    ({"energy.accumulate.value": "0.05 pJ", "energy.accumulate.band": ["0 pJ", "1 pJ"]}, ""),
    ({"power.chip_static.value": "1 uW", "power.chip_static.band": ["0 uW", "9 uW"]}, ""),
    ({"notes": ["another"], "about": "another"}, ""),
    ({"gating.gate_after": "3 cycles"}, "prepared scheduled"),
    ({"barrier.tree": "7 cycles"}, "prepared scheduled"),
    ({"core.synapse.lanes": 1}, "prepared scheduled"),
    ({"router.buffer": "2 flits"}, "prepared scheduled"),
    ({"packet.spikes": "bitmap"}, "prepared scheduled"),
]


@pytest.mark.parametrize(("changes", "follow"), CHANGES, ids=[str(row[0])[:40] for row in CHANGES])
def test_a_digest_follows_what_its_stage_reads(changes, follow, digits: Workload, chip: Chip):
    computed = compute(digits, "snn", 2, 1)
    stages = []
    for one in (chip, chip.changed(changes)):
        prepared = prepare(digits, one)
        scheduled = prepared.schedule(computed)
        stages.append({"prepared": prepared.digest, "scheduled": scheduled.digest})
    before, after = stages
    assert follow.split() == [name for name in before if before[name] != after[name]]


# arguments of the arithmetic that change it
ARGUMENTS = [
    {"mode": "qnn"}, {"timesteps": 3}, {"limit": 2},
]  # fmt: skip


@pytest.mark.parametrize("changed", ARGUMENTS, ids=str)
def test_arithmetic_is_of_network_stimulus_mode_timesteps_firing_and_limit(
    changed: dict, digits: Workload
) -> None:
    how = {"mode": "snn", "timesteps": 2, "limit": 1}
    expected = compute(digits, **how).digest
    assert compute(replace(digits, name="another", placement=None), **how).digest == expected
    assert compute(digits, **(how | changed)).digest != expected
    assert compute(replace(digits, firing="accumulate"), **how).digest != expected
    feed = digits.stimulus.feeds[0]
    other = fed(feed.kind, feed.values + 1, feed.value_bits, digits.stimulus.labels)
    assert compute(replace(digits, stimulus=other), **how).digest != expected


def test_a_sweep_of_constants_computes_maps_and_simulates_once(
    digits: Workload, chip: Chip, monkeypatch
) -> None:
    made: list[str] = []

    def counted(name: str, inner):
        def call(*arguments, **how):
            made.append(name)
            return inner(*arguments, **how)

        return call

    prices = [{"energy.reset.value": f"0.0{n} pJ", "energy.reset.band": None} for n in (2, 3, 4)]
    chips = [chip.changed(price) for price in prices]
    alone = [run(digits, one, "snn", limit=2).ledger.total for one in chips]
    for module, name in ((pipeline.behaviour, "run"), (pipeline.mapper, "find")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    engine = pipeline.engine_named
    monkeypatch.setattr(pipeline, "engine_named", lambda name: counted("simulate", engine(name)))
    shared = Shared()
    together = [run(digits, one, "snn", limit=2, shared=shared) for one in chips]
    assert [result.ledger.total for result in together] == alone and len(set(alone)) == 3
    assert [result.chip for result in together] == chips
    assert [made.count(name) for name in ("run", "find", "simulate")] == [1, 1, 1]


def test_a_run_is_priced_again_without_being_simulated(digits: Workload, chip: Chip) -> None:
    executed = prepare(digits, chip).schedule(compute(digits, "qnn", limit=2)).execute()
    dear = chip.changed({"energy.weight_read.value": "9 pJ", "energy.weight_read.band": None})
    expected = run(digits, dear, "qnn", limit=2).ledger
    assert executed.priced(dear).ledger.total == expected.total
    with pytest.raises(InputError, match="not differ in mesh"):
        executed.priced(chip.changed({"mesh.width": 9}))


def test_work_is_paced_by_another_chip_of_the_same_structure(digits: Workload, chip: Chip) -> None:
    scheduled = prepare(digits, chip).schedule(compute(digits, "qnn", limit=2))
    slow = chip.changed({"gating.gate_after": "5 cycles"})
    expected = run(digits, slow, "qnn", limit=2).record
    found = scheduled.paced(slow).execute().record
    assert (found.cycles, found.counters.tolist()) == (expected.cycles, expected.counters.tolist())
    with pytest.raises(InputError, match="not differ in core"):
        scheduled.paced(chip.changed({"core.synapse.lanes": 1}))


def test_a_store_forgets_the_oldest() -> None:
    shared = Shared(most=2)
    for number in (1, 2, 1, 3):
        shared.get(("stage", number), lambda number=number: number)
    made = []
    for number in (1, 3, 2):
        shared.get(("stage", number), lambda number=number: made.append(number))
    assert made == [2]


def test_no_stage_can_be_written_to(digits: Workload, chip: Chip) -> None:
    prepared = prepare(digits, chip)
    scheduled = prepared.schedule(compute(digits, "snn", limit=1))
    for array in (
        prepared.plan.link_latency,
        prepared.mapping.synapse_bits,
        scheduled.activity.entry_flits,
        digits.stimulus.feeds[0].values,
    ):
        with pytest.raises(ValueError, match="read-only"):
            np.asarray(array)[0] = 1
