"""A study as its YAML file says it: what is run, which keys take which values, what is asked, and
how points are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from simulator import units
from simulator.describe import library
from simulator.describe.axes import BESIDE, MOST_VALUES, Axis, Choice, Range, listed
from simulator.describe.chip import Chip
from simulator.describe.corners import NOMINAL
from simulator.describe.documents import Description, Document
from simulator.describe.mapping_file import FILE as MAPPING
from simulator.describe.messages import near_miss, shown_value
from simulator.describe.words import SNN, Mode
from simulator.errors import InputError, UnitError

Measure = Literal["run", "twin", "always-on"]
Method = Literal["grid", "random", "latin-hypercube", "tpe", "nsga2"]
METHODS: tuple[Method, ...] = get_args(Method)
Goal = Literal["minimise", "maximise"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(min_length=1)]
Metric = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=200)]
#: points of a study: more are no table any more
MOST_POINTS = 1_000_000


class AxisDocument(Description):
    """One axis: a list of values, a range, or named alternatives that change several keys."""

    values: Annotated[list[Any], Field(min_length=1, max_length=MOST_VALUES)] | None = None
    alternatives: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)] | None = None
    start: int | float | None = Field(None, alias="from")
    to: int | float | None = None
    count: Annotated[int, Field(ge=2, le=MOST_VALUES)] = 5  # values of a grid, both ends among them
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"values": given} if isinstance(given, list) else given


class StreamDocument(Description):
    """The stream of an always-on study; its keys may be axes too."""

    frame_rate: str
    duty: Annotated[float, Field(gt=0.0, le=1.0)] | Annotated[int, Field(ge=1, le=1)]
    policy: Literal["never", "gate", "off"] = "gate"
    frames: Annotated[int, Field(ge=1, le=10**9)] | None = None


class BoundDocument(Description):
    """What a metric must keep to."""

    at_least: int | float | None = None
    at_most: int | float | None = None


class ChooseDocument(Description):
    """How points are chosen."""

    method: Method = "grid"
    points: Annotated[int, Field(ge=1, le=MOST_POINTS)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    batch: Annotated[int, Field(ge=1, le=4096)] = 8  # points an optimiser asks for at a time


class StudyDocument(Description):
    """The YAML file of a study (docs/sweep.md)."""

    schema_version: Literal[1]
    name: Name
    question: Name
    measure: Measure = "run"
    workloads: Names
    chips: Names = ["generic-22nm"]
    corners: Names = [NOMINAL]
    modes: Annotated[list[Mode], Field(min_length=1)] = [SNN]
    timesteps: Annotated[int, Field(ge=1, le=4096)] | None = None
    limit: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    mapping: Name | None = None  # a folder of `spikemesh map`, or a mapping.yaml
    stream: StreamDocument | None = None
    settings: dict[str, Any] = {}
    axes: dict[Name, AxisDocument] = {}
    choose: ChooseDocument = ChooseDocument()
    ask: list[Metric] = []
    objectives: Annotated[dict[Metric, Goal], Field(min_length=1)]
    constraints: dict[Metric, BoundDocument] = {}


@dataclass(frozen=True)
class Study:
    """A study that was read and checked; load it with `Study.load`."""

    name: str
    question: str
    measure: Measure
    base: dict[str, Any]  # what every point starts from: workload, chip, mode, ..., settings
    axes: tuple[Axis, ...]
    method: Method
    points: int | None  # None: the whole grid
    seed: int
    batch: int
    metrics: tuple[str, ...]  # asked for, in the order of the table
    objectives: dict[str, Goal]
    constraints: dict[str, tuple[float | None, float | None]]  # at least, at most
    file: Path
    lines: dict[str, str] = field(default_factory=dict, compare=False)  # metric -> file:line

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Return the study of a file; raises DescriptionError with every fault at once."""
        document = Document(Path(path))
        written = document.validate(StudyDocument)
        if written is None:
            document.refuse()
        assert written is not None
        study = _Reader(document, written).study()
        document.refuse()
        return study


class _Reader:
    """Notes every fault of a study that its schema cannot see, and makes the study."""

    def __init__(self, document: Document, written: StudyDocument) -> None:
        self.document, self.written = document, written

    def study(self) -> Study:
        written, choose = self.written, self.written.choose
        axes = (*self._several(), *self._axes())
        if choose.method == "grid" and choose.points is not None:
            self._fault(("choose", "points"), "must not be given with a grid, which is whole")
        if choose.method != "grid" and choose.points is None:
            self._fault(("choose",), f"must say how many points method {choose.method} may use")
        if choose.method == "tpe" and len(written.objectives) > 1:
            self._fault(
                ("choose", "method"),
                "must be nsga2 with several objectives, not tpe, which has one",
            )
        n = 1
        for axis in axes:
            n *= len(axis.grid())
        if choose.method == "grid" and n > MOST_POINTS:
            self._fault(("axes",), f"must make at most {MOST_POINTS:,} points, not {n:,}")
        self._check_stream()
        asked = (*written.objectives, *written.constraints, *written.ask)
        metrics = tuple(dict.fromkeys(asked))
        return Study(
            name=written.name,
            question=" ".join(written.question.split()),
            measure=written.measure,
            base=self._base(),
            axes=axes,
            method=choose.method,
            points=choose.points,
            seed=choose.seed,
            batch=choose.batch,
            metrics=metrics,
            objectives=dict(written.objectives),
            constraints=self._constraints(),
            file=self.document.path,
            lines={name: self._place(name) for name in metrics},
        )

    def _fault(self, key: tuple[str | int, ...], text: str) -> None:
        self.document.fault(key, text)

    def _place(self, metric: str) -> str:
        written = self.written
        key: tuple[str | int, ...] = (
            ("ask", written.ask.index(metric)) if metric in written.ask else ()
        )
        for part in ("objectives", "constraints"):
            if metric in getattr(written, part):
                key = (part, metric)
        return f"{self.document.shown}:{self.document.line(key)}: {'.'.join(map(str, key))}"

    def _base(self) -> dict[str, Any]:
        written = self.written
        base: dict[str, Any] = {
            "workload": self._found("workload", written.workloads[0]),
            "chip": self._found("chip", written.chips[0]),
            "corner": written.corners[0],
            "mode": written.modes[0],
            "timesteps": written.timesteps,
            "limit": written.limit,
        }
        if written.mapping is not None:
            base["mapping"] = self._placed(("mapping",), written.mapping)
        if written.stream is not None:
            base |= written.stream.model_dump()
        for key in written.settings:
            self._check_key(("settings", key), key)
        return base | written.settings

    def _several(self) -> list[Axis]:
        """Return the axes of what the study names several of."""
        written = self.written
        found = []
        for name in ("workload", "chip", "corner", "mode"):
            given = getattr(written, f"{name}s")
            if len(given) > 1:
                found.append(listed(name, [self._choice(name, value) for value in given]))
            if len(set(given)) < len(given):
                self._fault((f"{name}s",), "must name each one once")
        return found

    def _choice(self, key: str, value: Any) -> Choice:
        if key in ("workload", "chip") and isinstance(value, str):
            return Choice(value, ((key, self._found(key, value)),))  # type: ignore[arg-type]
        if key == "mapping":
            return Choice(str(value), ((key, self._placed(("axes", key), value)),))
        return Choice.of(key, value)

    def _placed(self, key: tuple[str | int, ...], given: Any) -> str:
        """Return where a mapping is: beside the study, or where it says."""
        beside = self.document.path.parent / str(given)
        path = beside if beside.exists() else Path(str(given))
        if not (path / MAPPING if path.is_dir() else path).is_file():
            text = "must be a folder of `spikemesh map` or a mapping.yaml"
            self._fault(key, f"{text}, not {shown_value(given)}")
        return str(path)

    def _axes(self) -> list[Axis]:
        found = []
        taken = [name for name in ("workload", "chip", "corner", "mode")
                 if len(getattr(self.written, f"{name}s")) > 1]  # fmt: skip
        for name, axis in self.written.axes.items():
            key = ("axes", name)
            if name in taken:
                self._fault(key, f"must not be an axis again: {name}s names several")
            ways = [axis.values, axis.alternatives, axis.start]
            if sum(way is not None for way in ways) != 1:
                self._fault(key, "must be a list of values, alternatives, or a range from..to")
            elif axis.start is not None:
                found += self._range(name, axis)
            elif axis.values is not None:
                self._check_key(key, name)
                choices = [self._choice(name, value) for value in axis.values]
                if len({str(choice.label) for choice in choices}) < len(choices):
                    self._fault(key, "must name each value once")
                found.append(listed(name, choices))
            else:
                assert axis.alternatives is not None
                for each, settings in axis.alternatives.items():
                    for inner in settings:
                        self._check_key((*key, "alternatives", each), inner)
                choices = [
                    Choice(each, tuple(self._choice(k, v).settings[0] for k, v in changes.items()))
                    for each, changes in axis.alternatives.items()
                ]
                found.append(listed(name, choices))
        return found

    def _range(self, name: str, axis: AxisDocument) -> list[Axis]:
        key = ("axes", name)
        self._check_key(key, name)
        assert axis.start is not None
        if axis.to is None or axis.to <= axis.start:
            self._fault(key, f"must have a to above its from, {axis.start}")
        elif axis.scale == "log" and axis.start <= 0:
            self._fault((*key, "from"), f"must be above 0 on a scale of log, not {axis.start}")
        else:
            is_whole = isinstance(axis.start, int) and isinstance(axis.to, int)
            spread = Range(
                axis.start, axis.to, axis.count, axis.scale == "log", is_whole, axis.unit
            )
            return [Axis(name, (), spread)]
        return []

    def _check_key(self, key: tuple[str | int, ...], name: str) -> None:
        """Note a key that is neither a word of a study nor a key of a chip or a workload."""
        if "." not in name and name not in (*BESIDE, *Chip.model_fields):
            self._fault(
                key,
                f"must be a key of the chip such as core.synapse.lanes, of the workload as "
                f"workload.twin.firing, or one of {', '.join(BESIDE)}, not "
                f"{shown_value(name)}{near_miss(name, BESIDE)}",
            )
        if (
            name in ("duty", "frame_rate", "policy", "frames")
            and self.written.measure != "always-on"
        ):
            self._fault(key, "must stand in a study with measure: always-on")

    def _check_stream(self) -> None:
        written = self.written
        if (written.measure == "always-on") != (written.stream is not None):
            self._fault(("stream",) if written.stream else (),
                        "stream must be given with measure: always-on, and only there")  # fmt: skip
        if written.measure == "twin" and len(written.modes) > 1:
            self._fault(("modes",), "must be left out with measure: twin, which runs both")
        if written.stream is not None:
            try:
                units.exact(written.stream.frame_rate, "frequency")
            except UnitError as error:
                self._fault(("stream", "frame_rate"), str(error))

    def _constraints(self) -> dict[str, tuple[float | None, float | None]]:
        found = {}
        for name, bound in self.written.constraints.items():
            if bound.at_least is None and bound.at_most is None:
                self._fault(("constraints", name), "must have at_least, at_most or both")
            found[name] = (bound.at_least, bound.at_most)
        return found

    def _found(self, kind: library.Kind, given: str) -> str:
        """Return where a chip or a workload is: beside the study, or as everywhere."""
        beside = self.document.path.parent / given
        if ("/" in given or given.endswith(".yaml")) and beside.exists():
            given = str(beside)
        try:
            library.find(kind, given)
        except InputError as error:
            self._fault((f"{kind}s",), str(error))
        return given
