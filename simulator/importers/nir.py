"""NIR files: the graph as populations and ways between them, with the habits of the tool."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.errors import DescriptionError
from simulator.importers.choices import Choices
from simulator.importers.events import Stimuli
from simulator.importers.floating import Cell, Floating
from simulator.importers.habits import Habits, Numbers, settle
from simulator.importers.imported import Imported, Stated
from simulator.importers.nir_graph import load
from simulator.importers.nir_nodes import Checked, check
from simulator.importers.nir_shapes import Shapes, spread
from simulator.importers.nir_ways import Network, ways
from simulator.importers.rounding import rounded

#: timesteps of a time constant below which a leak of 1/4096 is none
LONGEST = 4096


def read(path: Path, choices: Choices, recording: Stimuli | None) -> Imported:
    """Return the network of a NIR file; raises DescriptionError with every fault of a stage at
    once.
    """
    floating, stated, warnings = floating_of(path, choices)
    return rounded(path, "NIR", floating, choices, recording, stated, warnings)


def floating_of(path: Path, choices: Choices) -> tuple[Floating, list[Stated], list[str]]:
    """Return the network of a NIR file in reals, what is stated of it, and warnings."""
    graph = load(path)
    faults: list[str] = []

    def fault(message: str) -> None:
        faults.append(f"{path.name}: {message}")

    def refuse() -> None:
        if faults:
            raise DescriptionError(list(dict.fromkeys(faults)))

    nodes = check(graph, fault)
    refuse()
    habits, stated = settle(path.name, choices, _numbers(nodes))
    assert habits.dt is not None
    shapes = Shapes(graph, nodes, habits.dt, fault)
    refuse()
    found = ways(shapes, fault)
    refuse()
    warnings = list(found.warnings)
    cells = _Cells(habits, found, warnings, fault)
    floating = found.floating(cells.of)
    refuse()
    stated += [*cells.stated, *found.stated]
    return floating, stated, warnings


def _numbers(nodes: dict[tuple[str, ...], Checked]) -> Numbers:
    """Return what of a file's neurons tells its tool."""
    tau, r_of_tau, r_of_if = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for node in nodes.values():
        key = "tau" if "tau" in node.real else "tau_mem"
        if key in node.real and node.real[key].size in (1, node.real["r"].size):
            r = node.real["r"].reshape(-1)
            tau.append(np.broadcast_to(node.real[key].reshape(-1), r.shape))
            r_of_tau.append(r)
        elif node.type == "IF":
            r_of_if.append(node.real["r"].reshape(-1))
    kinds = frozenset(node.type for node in nodes.values())
    return Numbers(kinds, *(np.concatenate(part) for part in (tau, r_of_tau, r_of_if)))


class _Cells:
    """Nodes of neurons as what they do in each timestep, by the habits of a tool."""

    def __init__(self, habits: Habits, found: Network, warnings: list[str], fault) -> None:
        self.habits, self.found, self.fault = habits, found, fault
        self.warnings, self.stated = warnings, list[Stated]()

    def of(self, node: Checked, shape: tuple[int, ...], is_recurrent: bool) -> Cell | None:
        """Return the cell of a node; None after noting what does not fit."""
        try:
            real = {key: spread(key, held, shape) for key, held in node.real.items()}
        except ValueError as error:
            self.fault(f"{node.name} ({node.type}): {error}")
            return None
        n = int(np.prod(shape))
        decay, gain, drift = self._potential(node, real, n)
        current = self._current(node, real)
        fires = "v_threshold" in real or "threshold" in real
        if not fires:
            initial = self._initial(real, n, None)
            return Cell(
                decay, gain, drift, initial, current_decay=current[0], current_gain=current[1]
            )
        return self._firing(node, real, (decay, gain, drift), current, is_recurrent)

    def _firing(self, node: Checked, real: dict, potential, current, is_recurrent: bool) -> Cell:
        habits = self.habits
        n = len(potential[0])
        is_step = node.type == "Threshold"
        threshold = real["threshold"] if is_step else real["v_threshold"]
        subtracts = habits.reset == "subtract" and not is_step
        many = habits.spikes_per_step == "many" and not is_step
        reset_at = "same" if is_step else habits.reset_at
        if reset_at == "next" and not subtracts and habits.held:
            reset_at = "held" if is_recurrent or current[0] is not None else "next"
        if threshold.min() <= 0 and (subtracts or many):
            self.fault(f"{node.name} ({node.type}): v_threshold: must be above 0 to be subtracted")
        decay, gain, drift = potential
        return Cell(
            decay,
            gain,
            drift,
            self._initial(real, n, threshold),
            threshold,
            reset_to=None if subtracts else real.get("v_reset", np.zeros(n)),
            reset_at=reset_at,
            strict=habits.compare == "gt",
            many=many,
            lower=-threshold if habits.lower == "threshold" and not is_step else None,
            current_decay=current[0],
            current_gain=current[1],
        )

    def _initial(self, real: dict, n: int, threshold: np.ndarray | None) -> np.ndarray:
        if self.habits.initial == "leak" and "v_leak" in real:
            return real["v_leak"]
        if self.habits.initial == "reset" and "v_reset" in real:
            return real["v_reset"]
        if self.habits.initial == "half" and threshold is not None:
            return threshold / 2
        return np.zeros(n)

    def _potential(self, node: Checked, real: dict, n: int):
        """Return decay, gain and drift of the potential."""
        habits, dt = self.habits, self.habits.dt
        assert dt is not None
        if node.type == "Threshold":
            return np.zeros(n), np.ones(n), np.zeros(n)
        key = "tau" if "tau" in real else "tau_mem"
        if key not in real:
            adds = real["r"] if habits.adds else real["r"] * dt
            return np.ones(n), adds, np.zeros(n)
        tau = self._true_tau(node, key, real[key])
        decay = self._decay(node, key, tau)
        gain = 1 - decay if habits.input == "share" else real["r"] * np.minimum(dt / tau, 1)
        return decay, gain, (1 - decay) * real["v_leak"]

    def _current(self, node: Checked, real: dict):
        """Return decay and gain of the synaptic current, None twice where there is none."""
        if "tau_syn" not in real:
            return None, None
        tau = self._true_tau(node, "tau_syn", real["tau_syn"])
        decay = self._decay(node, "tau_syn", tau)
        assert self.habits.dt is not None
        gain = real["w_in"] * (1 if self.habits.jump else np.minimum(self.habits.dt / tau, 1))
        return decay, gain

    def _true_tau(self, node: Checked, key: str, tau: np.ndarray) -> np.ndarray:
        """Return a time constant in seconds; Norse writes its default ones in timesteps of
        timesteps.
        """
        dt = self.habits.dt
        if self.habits.name == "Norse" and dt is not None and tau.max() < dt:
            self.stated.append(
                Stated(
                    f"{node.name}: {key}",
                    f"{float(tau.max()) / 1e-3:g} s, not {float(tau.max()):g} s",
                    "Norse exports time constants times its dt of 0.001 s",
                )
            )
            return tau / 1e-3
        return tau

    def _decay(self, node: Checked, key: str, tau: np.ndarray) -> np.ndarray:
        dt = self.habits.dt
        assert dt is not None
        steps = tau / dt
        if steps.min() < 1 - 1e-6:
            self.warnings.append(
                f"{node.name}: {key} is {float(steps.min()):.3g} timesteps: what it holds is "
                f"forgotten at once; is dt = {dt:g} s right?"
            )
        elif steps.max() > LONGEST:
            self.warnings.append(
                f"{node.name}: {key} is {float(steps.max()):.3g} timesteps, longer than a window "
                f"of {LONGEST} and than a leak of 1/4096; is dt = {dt:g} s right?"
            )
        if self.habits.leak == "exponential":
            return np.exp(-1 / steps)
        return np.maximum(1 - 1 / steps, 0)
