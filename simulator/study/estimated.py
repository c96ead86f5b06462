"""The closed form of a mapping's cost (account/estimate.py) beside a run on that mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.account.estimate import of_mapping
from simulator.mapping.loads import counted
from simulator.study.simulation import Result


@dataclass(frozen=True)
class Estimated:
    """What was estimated of an inference of the spiking twin, and what was simulated."""

    cores: int
    rows: tuple[tuple[str, str, float, float], ...]  # name, unit, estimate, simulated

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        rows = {
            name: {"estimate": one, "simulated": two, "ratio": two / one if one else None}
            for name, _, one, two in self.rows
        }
        return {"cores": self.cores} | rows


def estimated(result: Result) -> Estimated:
    """Return the estimate for the activity of a run of the spiking twin, beside the run."""
    n = max(result.finished, 1)
    found = of_mapping(
        result.workload, result.chip, result.mapping, counted(result.workload, result.raster)
    )
    return Estimated(
        result.mapping.n_used,
        (
            ("energy", "J", found.energy_j, float(result.ledger.total) / n),
            ("cycles", "", found.cycles, result.record.cycles / n),
            ("packets", "", found.packets, result.count("packets_sent") / n),
        ),
    )
