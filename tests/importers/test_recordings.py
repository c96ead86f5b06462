"""Recorded inputs of all forms give the same spikes; what does not fit is said in one line."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.importers.events import Recorded, Recording

RNG = np.random.default_rng(5)
#: two inferences of six timesteps, 2 polarities of 3 x 4 pixels
SHAPE, DT = (2, 3, 4), 1e-3
SPIKES = RNG.integers(0, 2, (2, 6, 24))
SPIKES[:, -1, 0] = 1
SAMPLE, STEP, LINE = np.nonzero(SPIKES)


def fitted(path: Path, shape=SHAPE, dt: float | None = DT, **more) -> Recorded:
    return Recording.load(path).fitted([("input", shape)], dt, **more)


def npz(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def pixels(line: np.ndarray) -> dict[str, np.ndarray]:
    p, rest = np.divmod(line, 12)
    return {"p": p, "y": rest // 4, "x": rest % 4}


def as_array(folder: Path) -> Path:
    return npz(folder / "r.npz", values=SPIKES)


def as_image(folder: Path) -> Path:
    return npz(folder / "r.npz", input=SPIKES.reshape(2, 6, *SHAPE).astype(np.float32))


def as_npy(folder: Path) -> Path:
    np.save(folder / "r.npy", SPIKES.astype(bool))
    return folder / "r.npy"


def as_csv(folder: Path) -> Path:
    rows = zip(SAMPLE, STEP, LINE)
    lines = [f"{k},{(t + 0.5) * DT},{n}" for k, t, n in rows]
    (folder / "r.csv").write_text("\n".join(["inference,t,neuron", *lines]) + "\n")
    return folder / "r.csv"


def as_columns(folder: Path) -> Path:
    """On the first edge of a timestep, which belongs to it."""
    return npz(folder / "r.npz", t_us=STEP * 1000, inference=SAMPLE, **pixels(LINE))


def as_camera(folder: Path) -> Path:
    """One array of records, as AEDAT readers return them; times in whole microseconds."""
    kinds = [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "i1"), ("sample", "<i2")]
    records = np.zeros(len(LINE), kinds)
    records["t"], records["sample"] = STEP * 1000 + 999, SAMPLE
    for name, values in pixels(LINE).items():
        records[name] = values
    np.save(folder / "r.npy", records)
    return folder / "r.npy"


def nir_data(path: Path, kind: str, arrays: dict, **named) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["__type__"] = "NIRGraphData"
        node = file.create_group("nodes/input")
        node.attrs["__type__"] = "NIRNodeData"
        group = node.create_group("observables/spikes")
        group.attrs["__type__"] = kind
        for name, value in named.items():
            group.attrs[name] = value
        for name, array in arrays.items():
            group.create_dataset(name, data=array, compression="gzip")
    return path


def as_grid(folder: Path) -> Path:
    return nir_data(folder / "r.nir", "TimeGriddedData", {"data": SPIKES.astype(bool)}, dt=DT)


def as_events(folder: Path) -> Path:
    """Times of the end of a timestep, padded with -1 and infinity, as NIR writes them."""
    most = max(np.bincount(SAMPLE))
    index, time = np.full((2, most), -1), np.full((2, most), np.inf)
    for k in range(2):
        mine = SAMPLE == k
        index[k, : mine.sum()], time[k, : mine.sum()] = LINE[mine], (STEP[mine] + 1) * DT
    named = {"n_neurons": 24, "t_max": 6 * DT}
    return nir_data(folder / "r.nir", "EventData", {"idx": index, "time": time}, **named)


@pytest.mark.parametrize(
    "form", [as_array, as_image, as_npy, as_csv, as_columns, as_camera, as_grid, as_events]
)
def test_every_form_gives_the_same_spikes(form, tmp_path: Path) -> None:
    found = fitted(form(tmp_path)).values["input"]
    assert (SPIKES == found).all()


def test_events_of_one_bin_are_counted_and_said(tmp_path: Path) -> None:
    path = npz(tmp_path / "r.npz", step=np.array([0, 0, 2]), neuron=np.array([1, 1, 3]))
    found = fitted(path, (4,))
    assert [[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]] == found.values["input"][0].tolist()
    assert "up to 2 of a line in one timestep" in [one.because for one in found.stated]


def test_labels_and_a_limit(tmp_path: Path) -> None:
    path = npz(tmp_path / "r.npz", x=SPIKES, labels=np.array([4, 1], np.uint8))
    assert [4, 1] == fitted(path).labels.tolist()
    assert [4] == fitted(path, limit=1).labels.tolist()
    assert (2, 3, 24) == fitted(path, timesteps=3).values["input"].shape


# what is said                                                           what the file holds
REFUSED = [
    ("input: must have 24 values a timestep (shape [2, 3, 4]), not shape [2, 6, 23]",
     {"values": np.zeros((2, 6, 23))}),
    ("must have values for the input 'input', not only 'a' or 'b'",
     {"a": SPIKES, "b": SPIKES}),
    ("must be finite", {"values": np.full((2, 6, 24), np.nan)}),
    ("must have 1 to 4096 timesteps, not 5000", {"values": np.zeros((1, 5000, 24), bool)}),
    ("events: must name neurons 0..23, not 0..24",
     {"step": np.array([0, 1]), "neuron": np.array([0, 24])}),
    ("events: must have times of 0 s or later", {"t": np.array([-1.0]), "neuron": np.array([0])}),
    ("events: must last 1 to 4096 timesteps, not 9001; a larger dt or fewer timesteps would do",
     {"t": np.array([9.0]), "neuron": np.array([0])}),
    ("events: x: must lie within 0..3, not 4..4", {"t": np.array([0.0]), "x": np.array([4])}),
    ("labels: must be 2 whole numbers, one per inference, not 3 of int64",
     {"values": SPIKES, "labels": np.zeros(3, np.int64)}),
    ("cannot be read: it holds Python objects", {"values": np.array([{}])}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "arrays"), REFUSED, ids=[said[:40] for said, _ in REFUSED])
def test_what_does_not_fit_is_said(said: str, arrays: dict, tmp_path: Path) -> None:
    path = npz(tmp_path / "r.npz", **arrays)
    with pytest.raises(InputError) as error:
        fitted(path)
    assert f"r.npz: {said}".replace("r.npz: events", "r.npz: input") == str(error.value)


def test_events_need_a_timestep(tmp_path: Path) -> None:
    path = npz(tmp_path / "r.npz", t=np.array([0.0]), neuron=np.array([0]))
    with pytest.raises(InputError, match=r"^dt: must be given in seconds to bin the events of r"):
        fitted(path, dt=None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t,neuron\n0.1,x\n", "r.csv:2: must be 2 numbers"),
        ("t,neuron\n0.1\n", "r.csv:2: must be 2 numbers"),
        ("neuron\n1\n", "r.csv: must have times of events: t, t_us, t_s or step"),
        ("t,neuron\n0.1,0.5\n", "r.csv: neuron: must be whole numbers"),
        ("", "r.csv: must have lines"),
    ],
)
def test_a_damaged_table_is_said_by_its_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError) as error:
        fitted(tmp_path / "r.csv")
    assert said == str(error.value)
