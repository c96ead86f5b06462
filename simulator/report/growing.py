"""A sweep's folder: it grows point by point, and a killed sweep goes on from what is there.

A point is finished when `points/<digest>/manifest.json` is there; it appears as a whole and last,
so a point is either finished or was never begun.  The folder is locked while a sweep is at work.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from simulator.describe import library
from simulator.describe.study_file import Study
from simulator.errors import InputError
from simulator.report import writing
from simulator.report.files import provenance
from simulator.report.parquet import parquet
from simulator.report.writing import MANIFEST, csv_text, json_text, whole_file
from simulator.study.point import Outcome
from simulator.study.space import Point
from simulator.study.table import Row, SweepResult

POINTS, TABLE, FRONT, REPORT = "points", "points.csv", "pareto.csv", "report.html"
PARQUET = "points.parquet"
#: what belongs to a sweep as a whole, and is not there while it goes on
WHOLE = (FRONT, REPORT, PARQUET)
SUMMARY = "summary.json"
STAGES = ".stages"
#: seconds between two writings of the table
PAUSE = 2.0


class SweepFolder:
    """Where a sweep keeps its points (study/sweep.py, Store)."""

    def __init__(self, place: Path, study: Study, about: dict[str, Any]) -> None:
        """Keep the points of a study in a folder that is there and locked."""
        self.place, self.study, self.about = place, study, about
        self.written = 0.0

    def finished(self, key: str) -> Outcome | None:
        """Return what became of a point earlier, None of one that was not finished."""
        folder = self.place / POINTS / key
        try:
            known = json.loads((folder / MANIFEST).read_bytes())
            status, reason, seconds = (known[name] for name in ("status", "reason", "seconds"))
            text = b"" if status == "failed" else (folder / SUMMARY).read_bytes()
            if known["sha256"] != _digest(status, reason, seconds, text):
                return None
            return Outcome(0, status, reason, json.loads(text) if text else None, seconds)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):  # run again
            return None

    def keep(self, key: str, point: Point, outcome: Outcome, row: Row) -> None:
        """Write a point's folder, its manifest last."""
        folder = self.place / POINTS / key
        with _saying(folder):
            folder.mkdir(parents=True, exist_ok=True)
        text = "" if outcome.summary is None else json_text(outcome.summary)
        if text:
            _put(folder / SUMMARY, text)
        axes = {axis.name: label for axis, label in zip(self.study.axes, row.labels)}
        asked = {name: point.asked[name] for name in sorted(point.asked)}
        content = {
            **self.about,
            "study": self.study.name,
            "measure": self.study.measure,
            "axes": axes,
            "asked": asked,
            "status": outcome.status,
            "reason": outcome.reason,
            "seconds": outcome.seconds,
            "sha256": _digest(outcome.status, outcome.reason, outcome.seconds, text.encode()),
        }
        _put(folder / MANIFEST, json_text(content))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a folder for stages that processes share."""
        path = self.place / STAGES
        shutil.rmtree(path, ignore_errors=True)  # of a sweep that was killed
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def table(self, rows: Sequence[Row]) -> None:
        """Bring points.csv up to date, now and then."""
        if time.monotonic() - self.written > PAUSE:
            self.put_table(SweepResult(self.study, tuple(rows)))

    def put_table(self, result: SweepResult) -> None:
        """Write points.csv."""
        cells = [result.cells(row) for row in result.rows]
        _put(self.place / TABLE, csv_text(result.columns, cells))
        self.written = time.monotonic()

    def put(self, result: SweepResult, page: str) -> None:
        """Write what belongs to the sweep as a whole: tables, front, report, and its manifest."""
        self.put_table(result)
        front = [result.cells(row) for row in result.front]
        _put(self.place / FRONT, csv_text(result.columns, front))
        _put(self.place / REPORT, page)
        typed = parquet(result.columns, [result.cells(row) for row in result.rows])
        if typed is not None:
            with whole_file(self.place / PARQUET) as file:
                file.write(typed)
        self.put_manifest(complete=True)

    def put_manifest(self, complete: bool) -> None:
        """Write what the sweep was asked, and whether it is complete."""
        content = {**self.about, "study": self.study.name, "complete": complete}
        _put(self.place / MANIFEST, json_text(content))


@contextmanager
def sweep_folder(
    folder: str | Path,
    study: Study,
    options: dict[str, Any] | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> Iterator[SweepFolder]:
    """Yield the folder of a sweep: a new one, or with `resume` that of an earlier one.

    Raises InputError when it cannot be written, holds something else, or another sweep is at work
    there; with `overwrite` an older folder of results is replaced.
    """
    given = Path(folder)
    place = Path(os.path.realpath(given))
    if not (resume and (place / MANIFEST).is_file()):
        with writing.result_folder(given, overwrite) as made:
            made.json(MANIFEST, {"schema_version": 1, "study": study.name, "complete": False})
    lock = writing.lock(place)
    if lock is None:
        raise InputError(f"{given}: must be free, not being written by another run")
    try:
        known = _known(place / MANIFEST)
        if known.get("study") != study.name:
            raise InputError(
                f"{given}: must be the folder of study {study.name!r} to go on, not of "
                f"{known.get('study')!r}"
            )
        files = [study.file]
        for name in ("workload", "chip"):
            kind: library.Kind = "workload" if name == "workload" else "chip"
            values = [study.base[name], *(
                value for axis in study.axes for choice in axis.choices
                for key, value in choice.settings if key == name
            )]  # fmt: skip
            with suppress(InputError):
                files += [library.find(kind, value) for value in dict.fromkeys(values)]
        made_folder = SweepFolder(place, study, provenance(files, options=options))
        for name in WHOLE:
            (place / name).unlink(missing_ok=True)
        for left in (*place.glob(f".*{writing.PARTIAL}"), *place.glob(f"*/*/.*{writing.PARTIAL}")):
            left.unlink(missing_ok=True)  # of a sweep that was killed
        made_folder.put_manifest(complete=False)
        yield made_folder
    finally:
        os.close(lock)


def _known(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: must be the manifest of a sweep: {error}") from error
    return found if isinstance(found, dict) else {}


def _digest(status: str, reason: str, seconds: float, summary: bytes) -> str:
    """Return the digest of what became of a point, by which a changed one is known."""
    said = json.dumps([status, reason, seconds]).encode()
    return hashlib.sha256(said + b"\n" + summary).hexdigest()


def _put(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text.encode())


@contextmanager
def _saying(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
