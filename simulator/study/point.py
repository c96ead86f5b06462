"""One point of a study, run: its metrics by the names of summary.json, or why there are none."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from simulator import units
from simulator.describe import mapping_file
from simulator.describe.axes import BESIDE
from simulator.describe.chip import Chip
from simulator.describe.messages import near_miss
from simulator.describe.study_file import Measure
from simulator.describe.words import MODES, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError, SpikemeshError
from simulator.study import simulation, twin
from simulator.study.always_on import always_on
from simulator.study.pipeline import Made, Shared, compute
from simulator.study.space import Point
from simulator.values import digest

DONE, EXCLUDED, FAILED = "done", "excluded", "failed"
STREAM = ("frame_rate", "duty", "policy", "frames")


@dataclass(frozen=True)
class Outcome:
    """What became of a point: done with its summary, or failed with a reason."""

    number: int
    status: str
    reason: str
    summary: dict[str, Any] | None
    seconds: float
    is_final: bool = True  # False: its process died, and another sweep may do better


@dataclass
class Kept(Shared):
    """Stages in memory, and arithmetic that several processes need in a folder as well."""

    folder: Path | None = None
    most: int = 24
    stages: dict[str, Any] = field(default_factory=dict)

    def get(self, read: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """Return the stage that was made from the same, here or by another process."""
        if self.folder is None or read[0] != "computed":
            return super().get(read, make)
        path = self.folder / f"{digest(read)}.pickle"

        def made() -> Made:
            if path.is_file():
                return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]
            return make()

        return super().get(read, made)

    def leave(self, computed: Any) -> None:
        """Leave arithmetic in the folder for the other processes."""
        assert self.folder is not None
        path = self.folder / f"{digest(computed.read)}.pickle"
        partial = path.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(computed, pickle.HIGHEST_PROTOCOL))
        partial.rename(path)


@dataclass
class Bench:
    """What a process keeps from one point to the next: descriptions as loaded, and stages."""

    shared: Kept = field(default_factory=Kept)
    loaded: dict[str, Any] = field(default_factory=dict)

    def workload(self, asked: dict[str, Any]) -> Workload:
        """Return the workload of a point."""
        changes = settings_of(asked, "workload")
        mapping = asked.get("mapping")

        def load() -> Workload:
            loaded = Workload.load(asked["workload"], changes)
            return loaded if mapping is None else mapping_file.load(mapping, loaded)

        return self._kept(  # type: ignore[no-any-return]
            ("workload", asked["workload"], changes, mapping), load
        )

    def chip(self, asked: dict[str, Any]) -> Chip:
        """Return the chip of a point, at its corner."""
        base = self._kept(
            ("chip", asked["chip"], asked["corner"]),
            lambda: Chip.load(asked["chip"], (), asked["corner"]),
        )
        changes = settings_of(asked, "chip")
        return base.changed(changes) if changes else base  # type: ignore[no-any-return]

    def _kept(self, what: tuple[Any, ...], load: Callable[[], Any]) -> Any:
        key = digest(what)
        if key not in self.loaded:
            if len(self.loaded) > 64:
                self.loaded.clear()
            self.loaded[key] = load()
        return self.loaded[key]


def settings_of(asked: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return what a point changes of its chip, or of its workload."""
    prefix = "workload."
    return {
        key: value
        for key, value in asked.items()
        if key not in BESIDE and key.startswith(prefix) == (kind == "workload")
    }


def evaluate(measure: Measure, point: Point, bench: Bench) -> Outcome:
    """Run a point; whatever the simulator refuses is its reason."""
    began = time.perf_counter()

    def took() -> float:
        return round(time.perf_counter() - began, 6)

    try:
        summary = MEASURES[measure](point.asked, bench)
    except SpikemeshError as error:
        return Outcome(point.number, FAILED, one_line(str(error)), None, took())
    except MemoryError:
        return Outcome(point.number, FAILED, "memory: this machine has not enough", None, took())
    return Outcome(point.number, DONE, "", summary, took())


def one_line(text: str) -> str:
    """Return a refusal of one or more lines as one."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _run(asked: dict[str, Any], bench: Bench) -> dict[str, Any]:
    result = simulation.run(
        bench.workload(asked),
        bench.chip(asked),
        asked["mode"],
        timesteps=asked["timesteps"],
        limit=asked["limit"],
        shared=bench.shared,
    )
    return result.summary()


def _twin(asked: dict[str, Any], bench: Bench) -> dict[str, Any]:
    result = twin.twin(
        bench.workload(asked),
        bench.chip(asked),
        timesteps=asked["timesteps"],
        limit=asked["limit"],
        shared=bench.shared,
    )
    return result.summary()


def _always_on(asked: dict[str, Any], bench: Bench) -> dict[str, Any]:
    try:
        rate = units.exact(asked["frame_rate"], "frequency")
        duty = Fraction(str(asked["duty"]))
    except (SpikemeshError, ValueError) as error:
        raise InputError(f"stream: {error}") from error
    (outcome,) = always_on(
        bench.workload(asked),
        bench.chip(asked),
        rate,
        [duty],
        [asked["policy"]],
        mode=asked["mode"],
        frames=asked["frames"],
        timesteps=asked["timesteps"],
    )
    latency = outcome.latency_cycles
    return outcome.result.summary() | {
        "power_w": outcome.power,
        "ideal_power_w": outcome.ideal_power,
        "sleep_power_w": outcome.sleep_power,
        "power_by_component_w": outcome.power_by_component,
        "core_state_share": outcome.core_state_share,
        "late_frames": outcome.late_frames,
        "wakes_per_second": outcome.core_wakes_per_second,
        "latency_from_frame_cycles": {
            "mean": float(latency.mean()) if len(latency) else None,
            "max": int(latency.max()) if len(latency) else None,
        },
    }


MEASURES: dict[Measure, Callable[[dict[str, Any], Bench], dict[str, Any]]] = {
    "run": _run,
    "twin": _twin,
    "always-on": _always_on,
}


def arithmetic(measure: Measure, asked: dict[str, Any], bench: Bench) -> None:
    """Do the arithmetic of a point and leave it for other processes; what fails here fails again at
    the point, where it is said.
    """
    modes: tuple[Mode, ...] = MODES if measure == "twin" else (asked["mode"],)
    try:
        workload = bench.workload(asked)
        for mode in modes:
            bench.shared.leave(compute(workload, mode, asked["timesteps"], asked["limit"]))
    except (SpikemeshError, MemoryError):
        return


def flat(summary: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number, text and nothing of a summary by its dotted name; rows of a list that
    have a name go by it.
    """
    for key, value in summary.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            yield from flat(value, f"{name}.")
        elif isinstance(value, list):
            for number, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from flat(entry, f"{name}.{entry.get('name', number)}.")
        else:
            yield name, value


def refuse_unknown(metrics: Sequence[str], places: dict[str, str], known: Sequence[str]) -> None:
    """Raise InputError for metrics that no summary of the study has, all at once."""
    wrong = [
        f"{places.get(name, name)}: must be a number of summary.json, not {name!r}"
        f"{near_miss(name, known)}"
        for name in metrics
        if name not in known
    ]
    if wrong:
        raise InputError("\n".join(wrong))


def judged(
    values: dict[str, Any], constraints: dict[str, tuple[float | None, float | None]]
) -> str:
    """Return which constraints a point does not keep, nothing where it keeps them all."""
    wrong = []
    for name, (least, most) in constraints.items():
        value = values.get(name)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            wrong.append(f"{name}: must be a number, not {value}")
        elif least is not None and value < least:
            wrong.append(f"{name}: must be at least {least}, not {value:.6g}")
        elif most is not None and value > most:
            wrong.append(f"{name}: must be at most {most}, not {value:.6g}")
    return "; ".join(wrong)
