"""The mapper: legal plans, the same for the same seed, better than what is simple; mappings as
files; places that shorten ways.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe import mapping_file
from simulator.errors import DescriptionError, MappingError
from simulator.mapping.memories import faults
from simulator.mapping.partition import partition
from simulator.report.mapping import mapping_json, put_mapping
from simulator.report.writing import result_folder
from simulator.study import mapper, plans
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


@pytest.mark.parametrize("objective", mapper.OBJECTIVES)
def test_each_objective_is_no_worse_than_the_fewest_cores(objective):
    workload, chip = Workload.load("digits-mlp"), Chip.load("loihi1")
    found = mapper.find(workload, chip, objective)
    computed = compute(workload, "snn", limit=3)
    mine = plans.cost(plans.simulate(workload, chip, found.mapping, computed), objective)
    fewest = plans.simulate(workload, chip, partition(workload, chip), computed)
    assert mine <= plans.cost(fewest, objective)


def test_the_estimate_is_near_the_simulation():
    """Energy within a quarter, cycles within two fifths: what it leaves out is contention."""
    for name in ("digits-mlp", "digits-cnn"):
        workload, chip = Workload.load(name), Chip.load("generic-22nm")
        found = plans.map_workload(workload, chip, effort="normal")
        result = plans.simulate(workload, chip, found.mapping, compute(workload, "snn", limit=1))
        assert result.ledger.total == pytest.approx(found.best.estimate.energy_j, rel=0.25)
        assert result.record.cycles == pytest.approx(found.best.estimate.cycles, rel=0.4)


def test_annealed_places_beat_the_snake_and_the_snake_beats_random():
    chip = Chip.load("generic-22nm")
    workload = replace(Workload.load("digits-mlp"), neurons_per_core=8)
    quick = mapper.find(workload, chip)
    flows = mapper.packing.traffic(chip, quick.mapping, workload, quick.search.rates)
    stay = np.arange(chip.n_cores)
    random = [mapper.measured(chip, flows, plans.at_random(chip, seed)) for seed in range(5)]
    snake = mapper.measured(chip, flows, stay)
    better = mapper.measured(
        chip, flows, mapper.annealed(chip, flows, quick.mapping.is_used, 400, 0)
    )
    assert better[0] < snake[0] < min(hops for hops, _ in random)
    assert better[1] <= snake[1]


def written(found, folder: Path) -> Path:
    with result_folder(folder) as place:
        put_mapping(found, place)
    return folder


def test_a_mapping_loads_as_it_was_saved_and_saves_as_it_was_loaded(tmp_path):
    workload, chip = Workload.load("digits-cnn"), Chip.load("loihi1")
    found = mapper.find(workload, chip, effort="normal")
    first = mapping_file.load(written(found, tmp_path / "one"), workload)
    assert partition(first, chip).digest() == found.mapping.digest()
    core_of = {name: np.asarray(cores) for name, cores in first.placement.items()}
    (tmp_path / "two").mkdir()
    mapping_file.save(tmp_path / "two", workload, chip.name, core_of)
    for name in ("mapping.yaml", "mapping.npz"):
        one, two = (tmp_path / place / name for place in ("one", "two"))
        if name.endswith("yaml"):
            assert one.read_text() == two.read_text()
        else:
            with np.load(one) as a, np.load(two) as b:
                assert {key: a[key].tolist() for key in a} == {key: b[key].tolist() for key in b}
    assert mapping_file.load(tmp_path / "two", workload).digest() == first.digest()
    result = run(first, chip, limit=1)
    assert result.mapping.digest() == found.mapping.digest()
    saved = mapping_json(found)
    assert {"cores_used", "objective", "estimate", "populations"} <= set(saved)
    assert {"name", "slices", "cut"} == set(saved["populations"][0])


def test_a_mapping_file_says_all_that_is_wrong_with_it(tmp_path):
    (tmp_path / "mapping.yaml").write_text(
        "schema_version: 1\nworkload: digits-mlp\nchip: any\n"
        "placement: {hidden1: [0, 0], hiden2: [1], output: core}\n"
    )
    with pytest.raises(DescriptionError) as error:
        mapping_file.load(tmp_path, Workload.load("digits-mlp"))
    path = tmp_path / "mapping.yaml"
    assert f"{path.name}:4: placement.output: must be a list of cores" in str(error.value)


def test_a_mapping_of_another_chip_says_which_core_is_missing(tmp_path):
    workload = Workload.load("digits-mlp")
    placed = replace(workload, placement={"hidden1": [0], "hidden2": [200], "output": [1]})
    with pytest.raises(MappingError, match="'hidden2': must be placed on cores 0..63"):
        partition(placed, Chip.load("generic-22nm"))
