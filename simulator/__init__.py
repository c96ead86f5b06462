"""spikemesh: a cycle-level simulator of a spatial dataflow neuromorphic chip.

    from simulator import Chip, Workload, run, twin
    result = twin(Workload.load("digits-mlp"), Chip.load("generic-22nm"), timesteps=4, limit=20)
    print(result.verdict())

The public names are imported when first used, so that `import simulator` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.describe.chip import Chip
    from simulator.describe.network import Network, Stimulus
    from simulator.describe.workload import Workload
    from simulator.errors import Interrupted, SpikemeshError
    from simulator.importers.brought import brought
    from simulator.study.simulation import Result, run
    from simulator.study.sweep import sweep
    from simulator.study.twin import TwinResult, twin

__all__ = [
    "Chip",
    "Interrupted",
    "Network",
    "Result",
    "SpikemeshError",
    "Stimulus",
    "TwinResult",
    "Workload",
    "brought",
    "run",
    "sweep",
    "twin",
]

_HOME = {
    "Interrupted": "simulator.errors",
    "Network": "simulator.describe.network",
    "SpikemeshError": "simulator.errors",
    "Stimulus": "simulator.describe.network",
    "Chip": "simulator.describe.chip",
    "Workload": "simulator.describe.workload",
    "brought": "simulator.importers.brought",
    "Result": "simulator.study.simulation",
    "run": "simulator.study.simulation",
    "sweep": "simulator.study.sweep",
    "TwinResult": "simulator.study.twin",
    "twin": "simulator.study.twin",
}


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'simulator' has no attribute {name!r}")
