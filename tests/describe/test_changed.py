"""A chip is a value: changed with the checks of a file, pickled, refused in the library's words."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from simulator.describe.chip import Chip
from simulator.describe.library import names
from simulator.describe.workload import Workload
from simulator.errors import SpikemeshError

CHANGES = {"mesh.width": 4, "core.synapse.lookup": "6 ns", "energy.reset.value": "0.5 pJ"}


def test_a_mapping_is_the_same_as_texts() -> None:
    texts = tuple(f"{key}={value}" for key, value in CHANGES.items())
    assert Chip.load("loihi1", texts) == Chip.load("loihi1", CHANGES)
    assert 8 == Workload.load("digits-mlp", {"twin.timesteps": 8}).timesteps


def test_changes_add_up_and_leave_the_chip_they_start_from() -> None:
    chip = Chip.load("loihi1")
    step_by_step = chip
    for key, value in CHANGES.items():
        step_by_step = step_by_step.changed({key: value})
    assert Chip.load("loihi1", CHANGES) == chip.changed(CHANGES) == step_by_step
    assert Chip.load("loihi1") == chip


def test_a_change_is_made_at_the_corner_the_chip_is_at() -> None:
    corner = "0.7 V @ 250 MHz"
    chip = Chip.load("generic-22nm", (), corner)
    expected = Chip.load("generic-22nm", {"mesh.width": 4}, corner)
    assert expected == chip.changed({"mesh.width": 4}) != chip


def test_a_change_does_not_read_the_file_again(tmp_path: Path) -> None:
    copy = tmp_path / "mine.yaml"
    copy.write_text(Chip.load("odin").file.read_text())
    chip = Chip.load(copy)
    copy.unlink()
    assert 2 == chip.changed({"mesh.width": 2}).mesh.width


# what a Python caller passes, what is said
WRONG = [
    (lambda: Chip.load("odin", {"mesh.widht": 4}), "setting mesh.widht=4: mesh.widht: unknown key"),
    (lambda: Chip.load("odin", {"mesh.width": 0}), "setting mesh.width=0: mesh.width: must be at"),
    (lambda: Chip.load("odin", {"mesh.width": "4"}), "mesh.width: must be a whole number, not '4'"),
    (lambda: Chip.load("odin", {3: 4}), "setting: must have a key such as 'key.path', not 3"),
    (lambda: Chip.load("odin", "mesh.width=4"), "settings: must be a mapping such as {'key.path'"),
    (
        lambda: Chip.load("odin", 4),
        "settings: must be a mapping such as {'key.path': value}, not 4",
    ),
    (lambda: Chip.load("odin", ("mesh.width",)), "setting: must be key.path=value, not 'mesh.w"),
    (lambda: Chip.load("odin", (4,)), "setting: must be key.path=value, not 4"),
    (lambda: Chip.load("odin", (), 3), "corner: must be a text, not 3"),
    (lambda: Chip.load(3), "chip: must be a name or a path, not 3"),
    (lambda: Workload.load(None), "workload: must be a name or a path, not nothing"),
    (lambda: Workload.load("digits-mlp", "a=b"), "settings: must be a mapping such as"),
]


@pytest.mark.parametrize(("call", "said"), WRONG, ids=[row[1] for row in WRONG])
def test_wrong_arguments_are_refused_in_words(call, said: str) -> None:
    with pytest.raises(SpikemeshError) as error:
        call()
    assert said in str(error.value)
    assert "--" not in str(error.value)


@pytest.mark.parametrize("name", names("chip"))
def test_a_chip_survives_pickling(name: str) -> None:
    chip = Chip.load(name)
    again = pickle.loads(pickle.dumps(chip))
    assert again == chip
    assert (again.file, again.corner, again.nominal_period) == (
        chip.file,
        chip.corner,
        chip.nominal_period,
    )
    assert again.changed({"mesh.width": 1 + chip.mesh.width}).mesh.width == 1 + chip.mesh.width
