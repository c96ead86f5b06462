"""Two folders of results side by side: what differed in what was asked, and in what came out."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.errors import InputError
from simulator.study.point import flat

MANIFEST = "manifest.json"
#: what a manifest says of the run itself, not of what was asked
ASIDE = ("command", "schema_version", "seconds", "complete")
#: files of results: what they hold is compared number by number
RESULTS = ("summary.json", "explain.json")
#: what is the same fact in other words, or a name
TEXTS = ("schema_version", "sentence", "verdict")


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in both; None: it is missing there."""

    name: str
    a: Any
    b: Any

    @property
    def ratio(self) -> float | None:
        """b over a, where both are numbers and a is not 0."""
        if _is_number(self.a) and _is_number(self.b) and self.a:
            ratio = float(self.b) / float(self.a)
            return ratio if math.isfinite(ratio) else None
        return None

    @property
    def size(self) -> float:
        """How large the difference is: of numbers the logarithm of their ratio, without its sign;
        what has none is larger than any.
        """
        ratio = self.ratio
        return abs(math.log(ratio)) if ratio and ratio > 0 else math.inf


@dataclass(frozen=True)
class Comparison:
    """What differs between two folders of results."""

    a: str
    b: str
    inputs: tuple[Difference, ...]
    outputs: tuple[Difference, ...]  # the largest first
    n_outputs: int  # numbers and words that were compared

    def sentence(self) -> str:
        """Return the outcome in a sentence or two."""
        asked = ", ".join(each.name for each in self.inputs[:3])
        more = len(self.inputs) - 3
        said = f"{asked} and {more} more differ" if more > 0 else f"{asked} differs"
        if 1 < len(self.inputs) <= 3:
            said = f"{asked} differ"
        said = said if self.inputs else "nothing differs"
        first = f"Of what was asked {said}; of {self.n_outputs} results {len(self.outputs)} do."
        ranked = [each for each in self.outputs if each.ratio is not None]
        if not ranked:
            return first
        top = ranked[0]
        return f"{first} The largest change is that of {top.name}, {top.ratio:.4g} times."

    def summary(self) -> dict[str, Any]:
        """Return what is said as JSON."""

        def rows(found: tuple[Difference, ...]) -> list[dict[str, Any]]:
            return [{"name": d.name, "a": d.a, "b": d.b, "ratio": d.ratio} for d in found]

        return {
            "schema_version": 1,
            "a": self.a,
            "b": self.b,
            "sentence": self.sentence(),
            "inputs": rows(self.inputs),
            "outputs": rows(self.outputs),
            "compared": self.n_outputs,
        }


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compare two folders of results; raises InputError for what is none."""
    asked, found = zip(*(_read(Path(folder)) for folder in (a, b)))
    inputs = tuple(_differences(*asked))
    outputs = sorted(_differences(*found), key=lambda each: (-each.size, each.name))
    numbers = [each for each in outputs if each.ratio is not None]
    rest = [each for each in outputs if each.ratio is None]
    names = found[0].keys() | found[1].keys()
    return Comparison(str(a), str(b), inputs, (*numbers, *rest), len(names))


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was asked and what came out, by name."""
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: must be a folder of results, which has a {MANIFEST}")
    asked: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for inner in ("", "snn", "qnn"):
        place = folder / inner
        before = f"{inner}." if inner else ""
        if not (place / MANIFEST).is_file():
            continue
        for name, value in _asked(_json(place / MANIFEST)):
            asked[name if asked.get(name, value) == value else f"{before}{name}"] = value
        for file in RESULTS:
            if (place / file).is_file():
                content = {k: v for k, v in _json(place / file).items() if k not in TEXTS}
                found |= {f"{before}{name}": value for name, value in flat(content)}
    if (folder / "points.csv").is_file():
        found |= _points(folder / "points.csv")
    return asked, found


def _asked(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield everything a manifest says was asked, lists as they are."""
    for name, value in manifest.items():
        if name in ASIDE:
            continue
        if name == "inputs" and isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield f"file {each.get('file')}", each.get("sha256")
        else:
            yield from _leaves(name, value)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, inner in enumerate(value):
            key = inner.get("name", number) if isinstance(inner, dict) else number
            yield from _leaves(f"{name}.{key}", inner)
    else:
        yield name, value


def _points(path: Path) -> dict[str, Any]:
    """Return the cells of a sweep's table by the axes of their points."""
    try:
        rows = list(csv.DictReader(path.read_text().splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: must be the table of a sweep: {error}") from error
    found: dict[str, Any] = {}
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values() or "point" not in row:
            raise InputError(f"{path}: row {number}: must have a point and a cell for each column")
        for name, text in row.items():
            if name not in ("point", "digest", "seconds"):
                found[f"point {row['point']}.{name}"] = _value(text)
    return found


def _value(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text or None
    return value if math.isfinite(value) else text


def _finite(text: str) -> float:
    """Return a number of a file; raises ValueError where it is too large, or none."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"must hold finite numbers, not {text[:40]}")
    return value


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(
            path.read_bytes(), parse_float=_finite, parse_int=_whole, parse_constant=_finite
        )
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: must be a file of results: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a file of results, not a list or a single value")
    return content


def _differences(a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    for name in (*a, *(name for name in b if name not in a)):
        if a.get(name) != b.get(name):
            yield Difference(name, a.get(name), b.get(name))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
