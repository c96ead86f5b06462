"""A compiled workload on disk: network, stimulus, twin parameters and mapping in YAML, large arrays
in an npz beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from simulator.describe import library
from simulator.describe.arrays import Arrays
from simulator.describe.documents import Document
from simulator.describe.encoding import misencoded
from simulator.describe.graph_file import build
from simulator.describe.messages import alternatives, shown_value
from simulator.describe.network import Network, Stimulus
from simulator.describe.placement import Placement, in_one_form, misplaced
from simulator.describe.placement import read as read_placement
from simulator.describe.settings import Settings
from simulator.describe.stated_activity import StatedActivity
from simulator.describe.stimulus_file import stimulus as read_stimulus
from simulator.describe.words import FIRINGS, STREAMING, Firing
from simulator.describe.workload_file import WorkloadDocument
from simulator.errors import InputError
from simulator.values import digest


@dataclass(frozen=True, eq=False)
class Workload:
    """A network, what is presented to it, and how its twins run.

    Load it with `Workload.load('digits-mlp')`, by name or by path, or make it of a Network and a
    Stimulus.  Raises InputError for what cannot be meant.
    """

    name: str
    network: Network
    stimulus: Stimulus
    timesteps: int
    firing: Firing = STREAMING
    about: str = "made in Python"
    placement: Placement | None = None  # cores of each population; None: auto
    neurons_per_core: int | None = None  # None: as many as a core's memories hold
    #: of what populations send: AUTO, or encodings by population or projection ('a -> b'); what is
    #: not named is sent as the chip says
    encoding: str | Mapping[str, str] | None = None
    #: who fires at other numbers of timesteps, drawn instead of computed
    activity: StatedActivity | None = None
    files: tuple[Path, ...] = ()  # where it was read from

    def __post_init__(self) -> None:
        """Refuse wrong types, and a placement that does not place every population."""
        kinds = (
            ("name", str, "a text"),
            ("about", str, "a text"),
            ("network", Network, "a Network"),
            ("stimulus", Stimulus, "a Stimulus"),
        )
        for name, kind, words in kinds:
            given = getattr(self, name)
            if not isinstance(given, kind) or given == "":
                raise InputError(f"workload: {name}: must be {words}, not {shown_value(given)}")
        counts = (("timesteps", self.timesteps), ("neurons_per_core", self.neurons_per_core or 1))
        for name, count in counts:
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise InputError(
                    f"workload: {name}: must be a whole number of at least 1, not "
                    f"{shown_value(count)}"
                )
        if self.firing not in FIRINGS:
            raise InputError(
                f"workload: firing: must be {alternatives(FIRINGS)}, not {shown_value(self.firing)}"
            )
        if self.placement is not None:
            object.__setattr__(self, "placement", in_one_form(self.placement))
            for key, message in misplaced(self.network, self.placement):
                where = ".".join(("placement", *key))
                raise InputError(f"workload: {where}: {message}")
        for key, message in misencoded(self.network, self.encoding):
            raise InputError(f"workload: {'.'.join(('encoding', *key))}: {message}")

    def digest(self) -> str:
        """Return the sha256 of everything but the files it came from, in hexadecimal."""
        held = [(each.name, getattr(self, each.name)) for each in fields(self)]
        return digest(*(one for one in held if one[0] != "files"))

    def save(self, folder: str | Path) -> None:
        """Write workload.yaml and arrays.npz into a new or empty folder, from which `load` returns
        an equal workload; raises InputError or DescriptionError where no file may say what it is.
        """
        from simulator.describe.saving import save

        save(self, Path(folder))

    @classmethod
    def load(cls, workload: str | Path, overrides: Settings = ()) -> Workload:
        """Return the workload of that name (in workloads/) or path, with changes applied.

        overrides: {'key.path': value}, or texts 'key.path=value'; `workload.` may lead a key.
        Raises DescriptionError with every fault of the file and its arrays at once, each with file
        and line.
        """
        if not isinstance(workload, (str, Path)):
            raise InputError(f"workload: must be a name or a path, not {shown_value(workload)}")
        document = Document(library.find("workload", workload))
        document.override(overrides, prefix="workload.")
        written = document.validate(WorkloadDocument)
        if written is None:
            document.refuse()
        assert written is not None
        arrays = Arrays(document, written.arrays, written.drawn)
        network = build(document, written, arrays)
        stimulus = read_stimulus(document, written, arrays, network)
        placement, given = None, written.mapping.placement
        if isinstance(given, dict):
            placement = read_placement(document, ("mapping", "placement"), given, arrays, network)
        if network is not None:
            for below, message in misencoded(network, written.mapping.encoding):
                document.fault(("mapping", "encoding", *below), message)
        activity = written.twin.activity
        if activity is not None and activity.twice is not None:
            document.fault(
                ("twin", "activity", "at"), f"must state T = {activity.twice} once, not twice"
            )
        document.refuse()
        assert network is not None and stimulus is not None
        return cls(
            name=written.name,
            about=written.about,
            network=network,
            stimulus=stimulus,
            timesteps=written.twin.timesteps,
            firing=written.twin.firing,
            placement=placement,
            neurons_per_core=written.mapping.neurons_per_core,
            encoding=written.mapping.encoding,
            activity=None if activity is None else activity.stated,
            files=tuple(dict.fromkeys((document.path, arrays.path))),
        )
