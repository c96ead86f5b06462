"""Studies that tests run, written into a folder."""

from __future__ import annotations

from pathlib import Path

#: 2 chips' worth of structure, both twins, one value that does not fit, one that deadlocks
MIXED = """\
schema_version: 1
name: mixed
question: does every kind of point become a row?
workloads: [digits-mlp]
modes: [snn, qnn]
limit: 2
axes:
  core.synapse.lanes: [2, 8]
  core.memory.synapses: [64 KiB, 8 bit]
  queues:
    alternatives:
      wide: {}
      narrow: {link.flit: 4 bit, core.input_queue: 4 flits}
  pay:
    alternatives:
      as stated: {}
      dear: {energy.weight_read.value: 9 pJ}
objectives: {energy_j.per_inference: minimise, latency_cycles.mean: minimise}
constraints: {accuracy: {at_least: 0.5}}
ask: [cycles, counters.flits, bottleneck.class]
"""


def grid(lanes: int, prices: int, limit: int = 2) -> str:
    """Return a study of lanes × prices points of digits-mlp."""
    return f"""\
schema_version: 1
name: grid
question: is the table the same however it is made?
workloads: [digits-mlp]
limit: {limit}
axes:
  core.synapse.lanes: {list(range(1, lanes + 1))}
  price:
    alternatives:
{chr(10).join(f"      p{n}: {{energy.weight_read.value: {4 + n / 4} pJ}}" for n in range(prices))}
objectives: {{energy_j.per_inference: minimise, latency_cycles.mean: minimise}}
"""


def written(folder: Path, text: str, name: str = "study.yaml") -> Path:
    """Return the file of a study."""
    path = folder / name
    path.write_text(text)
    return path


def without_seconds(table: str) -> list[str]:
    """Return the lines of a points.csv without their last column."""
    return [line.rpartition(",")[0] for line in table.splitlines()]
