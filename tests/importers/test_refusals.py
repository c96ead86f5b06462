"""What cannot be imported is said in one line: where, what must be, what is."""

from pathlib import Path

import numpy as np
import pytest
from nir_writer import chain, conv, integrator, pool, write

from simulator.describe.network import Network
from simulator.errors import SpikemeshError
from simulator.importers.choices import Choices
from simulator.importers.formats import FORMATS, import_file, require

ONES = np.ones(2)
LIF = {"type": "LIF", "tau": ONES, "r": ONES, "v_leak": 0 * ONES, "v_threshold": ONES}
DENSE = {"type": "Linear", "weight": np.ones((2, 2))}
KNOWN = (
    "Affine, Linear, Scale, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, Delay, IF, LIF, "
    "CubaLIF, Threshold, I, LI, CubaLI, Input, Output"
)


def differing(**fields) -> dict:
    return {**LIF, **fields}


# what is said                                                              nodes behind an input
REFUSED = [
    (f"must be made of {KNOWN}, not of a (Sigmoid), c (LSTM)",
     [{"type": "Sigmoid"}, DENSE, {"type": "LSTM"}]),
    ("a (LIF): tau: must be above 0, not 0", [differing(tau=0 * ONES)]),
    ("a (LIF): v_threshold: must be finite", [differing(v_threshold=ONES * np.nan)]),
    ("a (LIF): r: must be given", [{k: v for k, v in LIF.items() if k != "r"}]),
    ("a (LIF): tau: must have 1 or 2 values, not 3", [differing(tau=np.ones(3))]),
    ("a (Linear): weight: must have 2 columns, not 3", [{**DENSE, "weight": np.ones((2, 3))}]),
    ("a (Linear): weight: must have 2 dimensions, not 1", [{"type": "Linear", "weight": ONES}]),
    ("a (Conv2d): weight: must be for 2 channels of a shape [2], not 3",
     [conv(np.ones((1, 3, 2, 2)))]),
    ("a (SumPool2d): kernel_size: must fit into 1x2, not be (3, 3)", [pool("SumPool2d", 3)]),
    ("a (Delay): delay: must be a whole number of timesteps of 1 s, at most 4096, not 1.5",
     [{"type": "Delay", "delay": np.array([1.5])}]),
    ("a (I): must lead to an Output alone: it sends no spikes, and leads to b",
     [integrator(2), LIF]),
    ("a: must have one time constant for all its neurons, not leaks of 1024 to 2048 4096ths a "
     "timestep", [differing(tau=np.array([2.0, 4.0]))]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "nodes"), REFUSED, ids=[said[:50] for said, _ in REFUSED])
def test_what_is_wrong_is_said(said: str, nodes: list, tmp_path: Path) -> None:
    path = chain(tmp_path / "n.nir", (2,), *nodes)
    with pytest.raises(SpikemeshError) as error:
        import_file(path, Choices(tool="nir", dt=1.0))
    assert f"n.nir: {said}" == str(error.value)


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    path = chain(tmp_path / "n.nir", (2,), differing(tau=0 * ONES), DENSE, differing(r=-ONES))
    with pytest.raises(SpikemeshError) as error:
        import_file(path, Choices(dt=1.0))
    assert [
        "n.nir: a (LIF): tau: must be above 0, not 0",
        "n.nir: c (LIF): r: must be above 0, not -1",
    ] == str(error.value).splitlines()


def test_a_linear_node_must_not_drive_itself(tmp_path: Path) -> None:
    nodes = {
        "input": {"type": "Input", "shape": np.array([2])},
        "a": DENSE,
        "lif": LIF,
        "output": {"type": "Output", "shape": np.array([2])},
    }
    edges = [("input", "a"), ("a", "a"), ("a", "lif"), ("lif", "output")]
    with pytest.raises(SpikemeshError, match="a .Linear.: must not drive itself without a neuron"):
        import_file(write(tmp_path / "n.nir", nodes, edges), Choices(tool="nir", dt=1.0))


def test_a_timestep_that_numbers_do_not_tell_is_asked_for(tmp_path: Path) -> None:
    path = chain(tmp_path / "n.nir", (2,), LIF)
    with pytest.raises(SpikemeshError) as error:
        import_file(path)
    assert (
        "dt: must be given in seconds: n.nir does not say how long a timestep is, and its numbers "
        "do not tell"
    ) == str(error.value)


@pytest.mark.parametrize("steps", [0.25, 1e5])
def test_an_odd_time_constant_is_warned_of_by_name(steps: float, tmp_path: Path) -> None:
    path = chain(tmp_path / "n.nir", (2,), differing(tau=ONES * steps), out=2)
    (warning,) = import_file(path, Choices(tool="nir", dt=1.0)).warnings
    assert warning.startswith(f"a: tau is {steps:.3g} timesteps")


# what is said                                              what is chosen
CHOICES = [
    ("reset: must be 'zero' or 'subtract', not 'value'", {"reset": "value"}),
    ("weight_bits: must be from 2 to 16, not 1", {"weight_bits": 1}),
    ("dt: must be above 0 s and finite, not nan", {"dt": float("nan")}),
    ("percentile: must be from 50 to 100, not 10", {"percentile": 10}),
]


@pytest.mark.parametrize(("said", "chosen"), CHOICES)
def test_a_choice_that_cannot_be_meant_is_refused(said: str, chosen: dict, tmp_path: Path) -> None:
    with pytest.raises(SpikemeshError) as error:
        Network.from_nir(chain(tmp_path / "n.nir", (2,), LIF), **chosen)
    assert said == str(error.value)


def test_a_file_of_no_format_and_a_package_that_is_not_there(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "n.pt").touch()
    with pytest.raises(SpikemeshError, match=r"n.pt: must end in '.nir'"):
        import_file(tmp_path / "n.pt")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(SpikemeshError) as error:
        require(FORMATS[".nir"])
    assert ("NIR: needs the package h5py, which is not installed: pip install -e '.[nir]'") == str(
        error.value
    )
