"""The engines every law and table of timing is held to."""

from __future__ import annotations

from importlib import import_module

MODULE = {"reference": "simulator.timing.reference", "compiled": "simulator.timing.engine"}
ENGINES = list(MODULE)


def simulate_with(engine: str):
    """Return the `simulate` of an engine by name."""
    return import_module(MODULE[engine]).simulate
