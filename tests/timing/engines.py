"""The engines every law and table of timing is held to."""

from __future__ import annotations

from simulator.timing import ENGINES as REGISTRY
from simulator.timing import engine_named as simulate_with

ENGINES = list(REGISTRY)
__all__ = ["ENGINES", "simulate_with"]
