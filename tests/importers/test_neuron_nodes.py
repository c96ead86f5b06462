"""Neuron nodes as the specification has them, by loops over their equations; what stands for what a
file does not say.
"""

from pathlib import Path

import numpy as np
import pytest
from nir_writer import chain, write

from simulator.behaviour import raster
from simulator.describe.network import fed
from simulator.importers.choices import Choices
from simulator.importers.formats import import_file
from simulator.importers.nir import floating_of

RNG = np.random.default_rng(11)
DT, STEPS, N = 1e-3, 30, 5


def drawn(low: float, high: float) -> np.ndarray:
    return RNG.uniform(low, high, N)


def node(kind: str, **fields) -> dict:
    return {"type": kind, **fields}


def euler(fields: dict, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """tau v' = (v_leak - v) + r I and tau_syn I' = -I + w_in S, spikes above the threshold."""
    v = np.zeros((len(current), N))
    j = np.zeros_like(v)
    spikes, potentials = [], []
    for t in range(STEPS):
        arriving = current[:, t]
        if "tau_syn" in fields:
            j = j + DT / fields["tau_syn"] * (fields.get("w_in", 1) * arriving - j)
            arriving = j
        tau = fields.get("tau", fields.get("tau_mem"))
        if fields["type"] == "Threshold":
            v = arriving
        elif tau is None:
            v = v + DT * fields["r"] * arriving
        else:
            v = v + DT / tau * (fields["v_leak"] - v + fields["r"] * arriving)
        threshold = fields.get("v_threshold", fields.get("threshold", np.inf))
        fired = v > threshold
        v = np.where(fired, fields.get("v_reset", 0), v)
        spikes.append(fired)
        potentials.append(v)
    return np.stack(spikes, 1), np.stack(potentials, 1)


NODES = [
    node("IF", r=drawn(100, 300), v_threshold=drawn(0.2, 0.6)),
    node("IF", r=drawn(100, 300), v_threshold=drawn(0.2, 0.6), v_reset=drawn(-0.3, 0.1)),
    node("LIF", tau=drawn(3e-3, 2e-2), r=drawn(2, 6), v_leak=drawn(-0.1, 0.1),
         v_threshold=drawn(0.3, 0.5), v_reset=drawn(-0.1, 0.1)),
    node("CubaLIF", tau_syn=drawn(2e-3, 9e-3), tau_mem=drawn(3e-3, 2e-2), r=drawn(4, 9),
         v_leak=drawn(-0.1, 0.1), v_threshold=drawn(0.2, 0.4), w_in=drawn(1, 3)),
    node("CubaLIF", tau_syn=drawn(2e-3, 9e-3), tau_mem=drawn(3e-3, 2e-2), r=drawn(9, 20),
         v_leak=drawn(-0.1, 0.1), v_threshold=drawn(0.2, 0.4)),
    node("Threshold", threshold=drawn(0.2, 0.9)),
    node("I", r=drawn(100, 300)),
    node("LI", tau=drawn(3e-3, 2e-2), r=drawn(2, 6), v_leak=drawn(-0.1, 0.1)),
    node("CubaLI", tau_syn=drawn(2e-3, 9e-3), tau_mem=drawn(3e-3, 2e-2), r=drawn(4, 9),
         v_leak=drawn(-0.1, 0.1), w_in=drawn(1, 3)),
]  # fmt: skip


@pytest.mark.parametrize("fields", NODES, ids=[one["type"] for one in NODES])
def test_a_neuron_is_its_equation(fields: dict, tmp_path: Path) -> None:
    weight = RNG.uniform(-0.3, 0.8, (N, 4))
    path = chain(tmp_path / "n.nir", (4,), node("Linear", weight=weight), fields, out=N)
    floating, _, _ = floating_of(path, Choices(tool="nir", dt=DT))
    x = RNG.integers(0, 2, (3, STEPS, 4)).astype(float)
    ran = floating.run({0: x}, keep=(1,))
    spikes, potentials = euler(fields, x @ weight.T)
    assert (spikes == ran.sent[1]).all()
    assert np.abs(potentials - ran.potential[1]).max() < 1e-12
    if "threshold" in "".join(fields):
        assert spikes.any() and not spikes.all()


def test_a_threshold_of_0_or_less_is_counted_from_another_zero(tmp_path: Path) -> None:
    """two_lif_neurons of the published graphs leaks to above its threshold."""
    weight = np.array([[1.0, -2.0]])
    for fields in (
        node("Threshold", threshold=np.array([0.0])),
        node("Threshold", threshold=np.array([-1.5])),
        node("LIF", tau=np.array([4e-3]), r=np.array([4.0]), v_leak=np.array([0.5]),
             v_threshold=np.array([-0.5]), v_reset=np.array([-2.0])),
    ):  # fmt: skip
        path = chain(tmp_path / "n.nir", (2,), node("Linear", weight=weight), fields)
        imported = import_file(path, Choices(tool="nir", dt=DT, weight_bits=12))
        x = RNG.integers(0, 2, (4, STEPS, 2))
        found = raster.run(imported.network, fed("raster", x, 1), "snn", STEPS)
        ran = imported.floating.run({0: x.astype(float)})
        assert ran.sent[1].any() and (ran.sent[1] == found.traces[1].unpacked(STEPS)).all()
        path.unlink()


def test_parameters_may_be_single_or_per_channel_or_full(tmp_path: Path) -> None:
    shape, found = (2, 2, 3), []
    full = np.repeat([0.5, 0.25], 6).reshape(shape)
    for held in (full, full.reshape(-1), np.array([0.5, 0.25]).reshape(2, 1, 1)):
        fields = node("IF", r=np.array(1.0), v_threshold=held)
        path = chain(tmp_path / "n.nir", (1, *shape), fields, out=12)
        floating, _, _ = floating_of(path, Choices(tool="nir", dt=1.0))
        assert shape == floating.places[0].shape == floating.places[1].shape
        found.append(floating.places[1].cell.threshold.tolist())
        path.unlink()
    assert found == [[0.5] * 6 + [0.25] * 6] * 3


def test_graphs_within_graphs_are_opened(tmp_path: Path) -> None:
    """A loop two graphs deep is the same loop in the open."""
    lif = node("LIF", tau=np.full(3, 5e-3), r=np.full(3, 5.0), v_leak=np.zeros(3),
               v_threshold=np.full(3, 0.4))  # fmt: skip
    ends = {
        "input": node("Input", shape=np.array([3])),
        "output": node("Output", shape=np.array([3])),
    }
    weight, first = RNG.uniform(-0.5, 0.5, (3, 3)), RNG.uniform(0, 0.9, (3, 4))
    loop = [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")]
    inner = ({**ends, "lif": lif, "w": node("Linear", weight=weight)}, loop)
    middle = ({**ends, "inner": inner}, [("input", "inner"), ("inner", "output")])
    outer = {
        "input": node("Input", shape=np.array([4])),
        "fc": node("Linear", weight=first),
        "layer": middle,
        "output": node("Output", shape=np.array([3])),
    }
    edges = [("input", "fc"), ("fc", "layer"), ("layer", "output")]
    deep, _, _ = floating_of(write(tmp_path / "d.nir", outer, edges), Choices(tool="nir", dt=DT))
    assert ["input", "layer.inner.lif"] == [place.name for place in deep.places]
    x = RNG.integers(0, 2, (2, STEPS, 4)).astype(float)
    v, before, expected = np.zeros((2, 3)), np.zeros((2, 3)), []
    for t in range(STEPS):
        v = v + DT / 5e-3 * (5 * (x[:, t] @ first.T + before @ weight.T) - v)
        before = (v > 0.4).astype(float)
        v = v * (1 - before)
        expected.append(before)
    assert np.sum(expected) and (np.stack(expected, 1) == deep.run({0: x}).sent[1]).all()


#: what the numbers of a file say: kind, tau, r       the timestep, and whose habit
TOLD = [
    ("LIF", 1e-3, 10.0, (1e-4, "snnTorch")),
    ("LIF", 0.0025, 24.0, (1e-4, "Rockpool")),
    ("IF", None, 1.0, (1.0, "sinabs")),
    ("IF", None, 1e4, (1e-4, "SpikingJelly")),
    ("IF", None, 1e3, (1e-3, "SpikingJelly")),
]


@pytest.mark.parametrize(("kind", "tau", "r", "expected"), TOLD)
def test_numbers_tell_the_timestep_and_the_tool(kind, tau, r, expected, tmp_path: Path) -> None:
    fields = node(kind, r=np.array([r]), v_threshold=np.array([1.0]))
    if tau is not None:
        fields |= {"tau": np.array([tau]), "v_leak": np.zeros(1)}
    path = chain(tmp_path / "n.nir", (1,), fields)
    floating, stated, _ = floating_of(path, Choices())
    assert expected == (floating.dt, stated[0].value)
    chosen, stated, _ = floating_of(path, Choices(dt=0.5))
    assert 0.5 == chosen.dt and ("0.5 s", "chosen") == (stated[1].value, stated[1].because)
