"""Runs the spiking and the quantised twin of one workload on one chip, and says which wins, by how
much, and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.account import uncertainty
from simulator.account.terms import COMPONENTS
from simulator.account.uncertainty import VerdictUncertainty
from simulator.behaviour import checks, twins
from simulator.behaviour.twins import Difference
from simulator.describe.chip import Chip
from simulator.describe.words import MODES, QNN, SNN
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.study import chunks
from simulator.study.arguments import check_run, described
from simulator.study.pipeline import Shared
from simulator.study.simulation import (
    Progress,
    Result,
    run,
    with_uncertainty,
)
from simulator.timing import COMPILED, EngineName
from simulator.units import show


@dataclass(frozen=True, repr=False)
class TwinResult:
    """Both runs, on the same mapping."""

    snn: Result
    qnn: Result
    uncertainty: VerdictUncertainty | None = None  # when draws were asked for
    #: of spike counts from activations, where it was found chunk by chunk
    difference: Difference | None = None

    def __repr__(self) -> str:
        """Return the verdict, for notebooks."""
        return f"<TwinResult {self.snn.workload.name}: {self.verdict()}>"

    @property
    def is_complete(self) -> bool:
        """Whether both runs came to their ends, not stopped by the user."""
        return self.snn.is_complete and self.qnn.is_complete

    @property
    def shared(self) -> int:
        """Inferences both runs finished."""
        return min(self.snn.finished, self.qnn.finished)

    @property
    def energy_ratio(self) -> float | None:
        """Energy per inference of the spiking twin over that of the quantised one."""
        snn, qnn = (
            result.ledger.total / max(result.finished, 1) for result in (self.snn, self.qnn)
        )
        return snn / qnn if qnn else None

    @property
    def latency_ratio(self) -> float | None:
        """Mean latency of the spiking twin over that of the quantised one."""
        if not self.shared:
            return None
        return float(self.snn.latency_cycles.mean() / self.qnn.latency_cycles.mean())

    @property
    def agreement(self) -> float | None:
        """Share of inferences for which both twins predict the same class."""
        n = self.shared
        return (
            float((self.snn.raster.predictions[:n] == self.qnn.raster.predictions[:n]).mean())
            if n
            else None
        )

    def verdict(self) -> str:
        """Return the outcome in one sentence: who wins on energy, by how much, why, and what it
        costs in time.
        """
        ratio, latency = self.energy_ratio, self.latency_ratio
        if ratio is None or latency is None:
            return "no verdict: no inference was finished by both twins"
        winner, loser = ("spiking", "quantised") if ratio < 1 else ("quantised", "spiking")
        times = max(ratio, 1 / ratio)
        faster = "spiking" if latency < 1 else "quantised"
        speed = max(latency, 1 / latency)
        joules = {
            mode: {
                name: value / max(result.finished, 1)
                for name, value in result.ledger.by_component.items()
            }
            for mode, result in (("spiking", self.snn), ("quantised", self.qnn))
        }
        saved = {name: joules[loser][name] - joules[winner][name] for name in COMPONENTS}
        most = max(saved, key=lambda name: saved[name])
        if times < 1.005:
            outcome = "the twins cost the same energy within 0.5 %"
        else:
            outcome = (
                f"the {winner} twin wins on energy: {times:.2f} times less per inference "
                f"({show(sum(joules[winner].values()), 'J')} against "
                f"{show(sum(joules[loser].values()), 'J')}) "
                f"and saves most in {most} ({show(saved[most], 'J')})"
            )
        pace = (
            "both take the same time"
            if speed < 1.005
            else f"the {faster} twin is {speed:.2f} times faster"
        )
        return f"On {self.snn.chip.name} at T = {self.snn.timesteps}, {outcome}; {pace}."

    def summary(self) -> dict[str, Any]:
        """Return the content of a twin run's summary.json (docs/results.md has keys and units)."""
        difference = self.difference or twins.compare(
            self.snn.raster.first(self.shared), self.qnn.raster.first(self.shared)
        )
        return {
            "schema_version": 1,
            "workload": self.snn.workload.name,
            "chip": self.snn.chip.name,
            "timesteps": self.snn.timesteps,
            "inferences": self.shared,
            "complete": self.is_complete,
            "energy_ratio": self.energy_ratio,
            "latency_ratio": self.latency_ratio,
            "agreement": self.agreement,
            "accuracy": {"snn": self.snn.accuracy, "qnn": self.qnn.accuracy},
            "energy_per_inference_j": {
                "snn": self.snn.ledger.total / max(self.snn.finished, 1),
                "qnn": self.qnn.ledger.total / max(self.qnn.finished, 1),
            },
            "spike_counts_against_activations": plain(difference),
            "verdict": self.verdict(),
            "uncertainty": None
            if self.uncertainty is None
            else plain(self.uncertainty) | {"sentence": self.uncertainty.sentence()},
        }


def plain(value: Any) -> Any:
    """Return dataclasses, tuples and numpy numbers as what JSON knows."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value


def _check_twin(workload: Workload, timesteps: int | None) -> None:
    """Refuse a network without a quantised twin before anything is simulated."""
    steps = workload.timesteps if timesteps is None else timesteps
    try:
        checks.check(workload.network, workload.stimulus, QNN, steps, workload.firing)
    except InputError as error:
        raise InputError(f"{error}; the spiking twin can be run alone, as mode {SNN!r}") from error


def twin(
    workload: Workload | str | Path,
    chip: Chip | str | Path = "generic-22nm",
    *,
    timesteps: int | None = None,
    limit: int | None = None,
    engine: EngineName = COMPILED,
    overlap: bool = False,
    draws: int = 0,
    seed: int = 0,
    chunk: int | None = None,
    jobs: int = 1,
    partial: bool = False,
    progress: Progress | None = None,
    shared: Shared | None = None,
) -> TwinResult:
    """Simulate both twins of a workload on the same chip and mapping; the arguments are those of
    `run`.
    """
    workload, chip = described(workload, chip)
    check_run(timesteps=timesteps, limit=limit, engine=engine, draws=draws, seed=seed, jobs=jobs)
    _check_twin(workload, timesteps)
    if overlap:
        chunk = max(1, workload.stimulus.n_inferences)
    asked = chunks.asked(workload, chip, MODES, timesteps, limit, chunk, engine)
    difference = None
    if asked.is_whole:
        how: dict[str, Any] = {"timesteps": timesteps, "engine": engine, "chunk": chunk}
        how["overlap"] = overlap
        how |= {"draws": draws, "seed": seed, "partial": partial, "progress": progress}
        how["shared"] = shared
        snn = run(workload, chip, SNN, limit=limit, **how)
        # stopped by the user in the first run: the second covers the same inferences
        qnn = run(workload, chip, QNN, limit=limit if snn.is_complete else snn.finished, **how)
    else:
        cut = chunks.run(asked, jobs, partial=partial, progress=progress)
        difference = cut.difference
        snn, qnn = (
            Result(cut.executed[mode], None, asked.size, cut.effective[mode]) for mode in MODES
        )
        if draws:
            snn, qnn = (with_uncertainty(each, draws, seed) for each in (snn, qnn))
    if not draws or not min(snn.finished, qnn.finished):
        return TwinResult(snn, qnn, None, difference)
    spread = uncertainty.verdict(
        chip, (snn.ledger, snn.finished), (qnn.ledger, qnn.finished), draws, seed
    )
    return TwinResult(snn, qnn, spread, difference)
