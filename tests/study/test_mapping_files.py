"""Mappings as files: what is loaded is what was saved, for every workload there is; what is wrong
with a file is said at once.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe import library, mapping_file
from simulator.errors import DescriptionError, MappingError
from simulator.mapping.partition import partition
from simulator.report.mapping import mapping_json, put_mapping
from simulator.report.writing import result_folder
from simulator.study import mapper


def written(found, folder: Path) -> Path:
    with result_folder(folder) as place:
        put_mapping(found, place)
    return folder


#: chips that hold what the default does not
CHIPS = {"vgg16-cifar": ("generic-22nm", ("mesh.width=32", "mesh.height=32"))}
CHIPS["recurrent-million"] = ("truenorth", ())


@pytest.mark.parametrize("name", library.names("workload"))
def test_a_mapping_loads_as_it_was_saved_and_saves_as_it_was_loaded(name, tmp_path):
    """load -> save -> load: the placement, the mapping it stands for, and both files; of a workload
    that says where it is, that mapping.
    """
    workload, (chip_name, changes) = Workload.load(name), CHIPS.get(name, ("generic-22nm", ()))
    chip = Chip.load(chip_name, changes)
    if workload.placement is None:
        mapping = mapper.find(workload, chip).mapping
    else:
        mapping = partition(workload, chip)
    names = [workload.network.populations[n].name for n in workload.network.computed]
    core_of = dict(zip(names, (mapping.core_of[n] for n in workload.network.computed)))
    loaded = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        mapping_file.save(tmp_path / place, workload, chip.name, core_of)
        loaded.append(mapping_file.load(tmp_path / place, workload))
        core_of = {each: np.asarray(cores) for each, cores in loaded[-1].placement.items()}
    assert partition(loaded[0], chip).digest() == mapping.digest()
    assert loaded[0].digest() == loaded[1].digest()
    one, two = (tmp_path / place / "mapping.yaml" for place in ("one", "two"))
    assert one.read_text() == two.read_text()
    one, two = (tmp_path / place / "mapping.npz" for place in ("one", "two"))
    with np.load(one) as a, np.load(two) as b:
        assert sorted(a) == sorted(b) and all(np.array_equal(a[key], b[key]) for key in a)


def test_a_loaded_mapping_is_run_as_it_was_found(tmp_path):
    """Places annealed, on a chip with other cores; and what mapping.json says."""
    workload, chip = Workload.load("digits-cnn"), Chip.load("loihi1")
    found = mapper.find(workload, chip, effort="normal")
    placed = mapping_file.load(written(found, tmp_path / "one"), workload)
    assert run(placed, chip, limit=1).mapping.digest() == found.mapping.digest()
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
