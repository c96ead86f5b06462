"""The mapper: legal plans, the same for the same seed, better than what is simple; places that
shorten ways.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import mappings
from simulator import Chip, Workload, run
from simulator.mapping import flows
from simulator.mapping.memories import faults
from simulator.mapping.partition import partition
from simulator.study import finalists, mapper, plans, search
from simulator.study.pipeline import compute


@pytest.mark.parametrize("chip", ["generic-22nm", "loihi1", "truenorth", "spinnaker2-like"])
@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-recurrent"])
def test_what_the_mapper_finds_fits(name, chip):
    workload, described = Workload.load(name), Chip.load(chip)
    found = mapper.find(workload, described)
    assert [] == faults(workload, described, found.mapping)
    for number in workload.network.computed:
        n = workload.network.populations[number].n_neurons
        assert n == len(found.mapping.core_of[number])
        assert found.best.cuts[number].n_tiles == len(found.mapping.cores[number])


def test_odin_holds_the_digits_on_its_one_core():
    """`neurons_per_core` is a wish to spread, which a chip of one core cannot grant."""
    result = run("digits-mlp", Chip.load("odin"), limit=2)
    assert 1 == result.mapping.n_used == result.chip.n_cores
    plain = run("digits-mlp", limit=2)
    assert np.array_equal(plain.raster.outputs, result.raster.outputs)


def test_the_same_seed_gives_the_same_mapping_and_another_may_not():
    workload, chip = Workload.load("digits-cnn"), Chip.load("loihi1")
    one, again, other = (
        mapper.find(workload, chip, effort="normal", seed=seed).mapping for seed in (0, 0, 1)
    )
    assert one.digest() == again.digest() != other.digest()


@pytest.mark.parametrize("objective", search.OBJECTIVES)
def test_each_objective_is_no_worse_than_the_fewest_cores(objective):
    workload, chip = Workload.load("digits-mlp"), Chip.load("loihi1")
    found = mapper.find(workload, chip, objective)
    computed = compute(workload, "snn", limit=3)
    mine = plans.cost(plans.simulate(workload, chip, found.mapping, computed), objective)
    fewest = plans.simulate(workload, chip, partition(workload, chip), computed)
    assert mine <= plans.cost(fewest, objective)


@pytest.mark.parametrize("chip", ["generic-22nm", "loihi1"])
@pytest.mark.parametrize("objective", ["energy", "latency"])
def test_what_was_simulated_is_what_is_taken_and_no_worse_than_the_fewest_cores(objective, chip):
    """The fewest cores are among the plans simulated, each slice by itself or packed."""
    workload, described = replace(Workload.load("digits-mlp"), placement=None), Chip.load(chip)
    found = plans.map_workload(workload, described, objective, "normal")
    computed = compute(workload, "snn", limit=1)
    ran = [one for _, one in found.search.simulated]
    assert found.simulated.cost(objective) == min(one.cost(objective) for one in ran)
    again = plans.simulate(workload, described, found.mapping, computed)
    assert found.simulated == plans.measured(again)
    fewest = plans.simulate(workload, described, plans.fewest(workload, described), computed)
    assert found.simulated.cost(objective) <= plans.cost(fewest, objective)
    assert plans.fewest(workload, described).n_used in {one.cores for one in ran}
    assert len(ran) <= finalists.SIMULATED["normal"]


@pytest.mark.slow
@pytest.mark.parametrize("chip", mappings.GRID)
def test_plans_are_near_the_best_of_a_grid_that_is_simulated(chip):
    """On shd-like within 5 % of the best of at least 64, and never worse than the fewest cores."""
    workload = replace(Workload.load("shd-like"), placement=None)
    described, computed = Chip.load(chip), compute(workload, "snn", limit=1)
    grid = mappings.simulated(workload, described, computed)
    assert 64 <= len(grid)
    for objective in mappings.OBJECTIVES:
        one = mappings.compared(workload, described, computed, grid, objective)
        for effort in search.EFFORTS:
            assert one.found[effort] <= 1.05 * one.best
            assert one.found[effort] <= one.fewest


def test_the_estimate_is_near_the_simulation():
    """Energy within a quarter, cycles within two fifths: what it leaves out is contention."""
    for name in ("digits-mlp", "digits-cnn"):
        workload, chip = Workload.load(name), Chip.load("generic-22nm")
        found = plans.map_workload(workload, chip, effort="normal")
        result = plans.simulate(workload, chip, found.mapping, compute(workload, "snn", limit=1))
        assert result.ledger.total == pytest.approx(found.best.estimate.energy_j, rel=0.25)
        assert result.record.cycles == pytest.approx(found.best.estimate.cycles, rel=0.4)


def shuffled(chip: Chip, found: mapper.Found, seed: int) -> np.ndarray:
    """The same cores, in an order drawn."""
    used, to = np.flatnonzero(found.mapping.is_used), np.arange(chip.n_cores)
    to[used] = np.random.default_rng(seed).permutation(used)
    return to


@pytest.mark.parametrize(
    "name, changes, per_core",
    [
        ("digits-mlp", (), 8),
        pytest.param(
            "vgg16-cifar", ("mesh.width=32", "mesh.height=32"), None, marks=pytest.mark.slow
        ),
    ],
)
def test_annealed_places_beat_the_snake_and_the_snake_beats_random(name, changes, per_core):
    """In the energy of hops and, where it is not the port's, in the hottest link, against the same
    cores in random order.
    """
    chip = Chip.load("generic-22nm", changes)
    workload = replace(Workload.load(name), neurons_per_core=per_core)
    quick = mapper.find(workload, chip)
    flowing = flows.flows(chip, quick.mapping, workload, quick.search.rates)
    ways = {"snake": [np.arange(chip.n_cores)], "annealed": [], "random": []}
    for seed in range(3):
        ways["annealed"].append(flows.annealed(chip, flowing, 400, seed))
        ways["random"].append(shuffled(chip, quick, seed))
    joules = {way: [flows.hop_energy(chip, flowing, to) for to in ways[way]] for way in ways}
    hottest = {way: [flows.measured(chip, flowing, to)[1] for to in ways[way]] for way in ways}
    assert max(joules["snake"]) < min(joules["random"])
    assert max(hottest["annealed"]) <= min(hottest["snake"])
    if name == "vgg16-cifar":
        assert max(hottest["snake"]) < min(hottest["random"])
    assert max(joules["annealed"]) < min(joules["snake"])
