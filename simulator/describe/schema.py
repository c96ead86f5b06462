"""The JSON Schema of what can be written in a description."""

from __future__ import annotations

from typing import Any

from simulator.describe.chip import Chip
from simulator.describe.library import Kind


def schema_of(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a chip's or a workload's YAML file."""
    if kind == "chip":
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **Chip.model_json_schema(),
        }
    from simulator.describe.workload_file import WorkloadDocument

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **WorkloadDocument.model_json_schema(),
    }
