"""A network of another tool brought here: what its integers change, measured on its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.behaviour import raster as behaviour
from simulator.behaviour.raster import Raster
from simulator.describe.words import CURRENT, QNN, SNN, STREAMING
from simulator.describe.workload import Workload
from simulator.errors import CheckError, InputError
from simulator.importers.checks import Compared, compare, expected
from simulator.importers.choices import Choices
from simulator.importers.entering import in_reals
from simulator.importers.events import Drawn, Recording
from simulator.importers.floating import Floating, Ran
from simulator.importers.formats import FORMATS, import_file
from simulator.importers.imported import Imported

#: inferences and timesteps that are drawn where no stimulus is given
DRAWN, DRAWN_STEPS = 4, 16
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Changed:
    """What integers changed of one population: spikes in reals and in integers, and the places
    (inference, timestep, neuron) that differ.
    """

    population: str
    reals: int
    integers: int
    differing: int
    places: int


@dataclass(frozen=True, eq=False)
class Brought:
    """An imported network as a workload, and how faithful it is."""

    imported: Imported
    workload: Workload
    compared: int  # inferences that were run both ways
    changed: tuple[Changed, ...] = ()
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    same_predictions: float | None = None
    overflows: int = 0
    # of the quantised and the spiking twin, where the file has integers of its own and labels
    accuracy_of_twins: tuple[float, float] | None = None
    checked: tuple[Compared, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return everything in numbers and words: the content of summary.json."""
        return {
            "schema_version": 1,
            "file": self.imported.path.name,
            "format": self.imported.format,
            "inferences_compared": self.compared,
            "stated": [vars(one) for one in self.imported.stated],
            "warnings": list(self.imported.warnings),
            "rounded": [vars(one) for one in self.imported.rounded],
            "inputs": [vars(one) for one in self.imported.entering],
            "meaning": [_finite(vars(one)) for one in self.imported.meaning],
            "changed": [vars(one) for one in self.changed],
            "accuracy": {"before": self.accuracy_before, "after": self.accuracy_after},
            "accuracy_of_twins": self.accuracy_of_twins,
            "same_predictions": self.same_predictions,
            "overflows": self.overflows,
            "checked": [{**vars(one), "instants": list(one.instants)} for one in self.checked],
        }


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with None for what is infinite, which JSON cannot write."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in row.items()
    }


def bring(
    path: str | Path,
    choices: Choices | None = None,
    *,
    stimulus: str | Path | None = None,
    check: str | Path | None = None,
    name: str | None = None,
    rate: float = 0.1,
    seed: int = 0,
    limit: int = 100,
    progress: Progress | None = None,
) -> Brought:
    """Return the network of an exported file as a workload, measured against itself in reals.

    stimulus: a recording (npz, npy, CSV, NIR data) to calibrate and to run on; without one spikes
    are drawn with `rate` and `seed`.  check: what another tool recorded of the network's
    populations.  limit: inferences that are run both ways.  Raises SpikemeshError for what cannot
    be imported as asked.
    """
    choices = Choices() if choices is None else choices
    if check is not None and Path(path).suffix.lower() == ".onnx":
        raise InputError("check: must be left out with an ONNX file: its whole numbers are its own")
    given: Any = None
    if stimulus is not None:
        given = Recording.load(stimulus)
    elif check is not None:
        given = _Checked(Path(check), path, choices)
    if given is None:
        if not 0 <= rate <= 1:
            raise InputError(f"rate: must be from 0 to 1, not {rate:g}")
        given = Drawn(rate, DRAWN, choices.timesteps or DRAWN_STEPS, seed)
    imported = import_file(path, choices, given)
    workload = _workload(imported, choices, name)
    found: dict[str, Any] = {}
    if imported.floating is not None and imported.recorded is not None:
        found = _measured(imported, imported.floating, workload, limit, progress)
    if imported.meaning and workload.stimulus.labels is not None:
        found |= _twins(workload, limit, progress)
    if check is not None:
        found["checked"] = tuple(_compared(imported, Path(check)))
    return Brought(imported, workload, **{"compared": 0, **found})


class _Checked:
    """The inputs of a file that is checked against, as the stimulus."""

    def __init__(self, check: Path, path: str | Path, choices: Choices) -> None:
        self.check, self.path, self.choices = check, path, choices

    def fitted(self, inputs: Any, dt: Any, timesteps: Any = None, limit: Any = None) -> Any:
        """Return the recorded inputs; raises InputError where the file has none."""
        if FORMATS.get(Path(self.path).suffix.lower()) is not FORMATS[".nir"]:
            raise InputError("check: needs a network in reals, as NIR files hold them")
        from simulator.importers.nir import floating_of

        given = expected(self.check, floating_of(Path(self.path), self.choices)[0])
        if given.stimulus is None:
            names = ", ".join(name for name, _ in inputs)
            raise InputError(
                f"{self.check.name}: must have values of {names} to be checked on; or a stimulus "
                f"must be given"
            )
        return given.stimulus


def _workload(imported: Imported, choices: Choices, name: str | None) -> Workload:
    stimulus = imported.stimulus
    if stimulus is None:
        raise InputError(f"{imported.path.name}: must be given a stimulus")
    lengths = [feed.values.shape[1] for feed in stimulus.feeds if feed.kind != CURRENT]
    timesteps = lengths[0] if lengths else imported.timesteps or choices.timesteps or 4
    labels, network = stimulus.labels, imported.network
    n = network.populations[network.outputs[0]].n_neurons
    if labels is not None and not 0 <= labels.min() <= labels.max() < n:
        raise InputError(
            f"labels: must lie within 0..{n - 1} (output neurons), not {labels.min()}.."
            f"{labels.max()}"
        )
    said = "; ".join(f"{one.what}: {one.value}" for one in imported.stated)
    return Workload(
        name=name or imported.name,
        network=imported.network,
        stimulus=stimulus,
        timesteps=timesteps,
        about=f"Imported from {imported.path.name} ({imported.format}). {said}."[:2000],
    )


def _measured(
    imported: Imported,
    floating: Floating,
    workload: Workload,
    limit: int,
    progress: Progress | None,
) -> dict[str, Any]:
    """Return what integers change on the first inferences."""
    assert imported.recorded is not None
    n = min(limit, workload.stimulus.n_inferences)
    entering = in_reals(floating, imported.recorded, n, workload.timesteps)
    told = None if progress is None else lambda done, of: progress("in reals", done, of)
    ran = floating.run(entering, progress=told)
    told = None if progress is None else lambda done, of: progress("in integers", done, of)
    raster = behaviour.run(
        workload.network, workload.stimulus, SNN, workload.timesteps, "streaming", n, told
    )
    first = floating.places[floating.outputs[0]].n
    before = floating.outcome(ran)[:, :first].argmax(axis=1)
    labels = workload.stimulus.labels
    return {
        "compared": n,
        "changed": _changed(floating, ran, raster, workload),
        "accuracy_before": None if labels is None else float((before == labels[:n]).mean()),
        "accuracy_after": raster.accuracy,
        "same_predictions": float((before == raster.predictions).mean()),
        "overflows": raster.overflows,
    }


def _twins(workload: Workload, limit: int, progress: Progress | None) -> dict[str, Any]:
    """Return how well both twins read the first inferences at the workload's T."""
    n, found, overflows = min(limit, workload.stimulus.n_inferences), [], 0
    for mode in (QNN, SNN):
        told = None if progress is None else lambda done, of: progress("in integers", done, of)
        raster = behaviour.run(
            workload.network, workload.stimulus, mode, workload.timesteps, STREAMING, n, told
        )
        assert raster.accuracy is not None
        found.append(raster.accuracy)
        overflows += raster.overflows
    return {"compared": n, "accuracy_of_twins": tuple(found), "overflows": overflows}


def _changed(
    floating: Floating, ran: Ran, raster: Raster, workload: Workload
) -> tuple[Changed, ...]:
    rows = []
    for number in workload.network.computed:
        if not workload.network.populations[number].fires:
            continue
        here = raster.traces[number].unpacked(raster.timesteps)
        there = ran.sent[number]
        counts = int(np.rint(there).sum()), int(here.sum())
        rows.append(
            Changed(floating.places[number].name, *counts, int((here != there).sum()), here.size)
        )
    return tuple(rows)


def _compared(imported: Imported, check: Path) -> list[Compared]:
    if imported.floating is None or imported.recorded is None:
        raise InputError(f"check: needs a network in reals, which {imported.format} does not hold")
    given = expected(check, imported.floating)
    return compare(imported.floating, given, in_reals(imported.floating, imported.recorded, None))


def refuse_difference(brought: Brought) -> None:
    """Raise CheckError where spikes are not those that were recorded."""
    wrong = [one for one in brought.checked if not one.holds]
    if wrong:
        said = "; ".join(f"{one.population}: {one.differing} spikes differ" for one in wrong)
        raise CheckError(
            f"{len(wrong)} of {len(brought.checked)} recorded populations differ: {said}"
        )
