"""Whatever a file does to the library that reads it, it ends soon, in one line, and the next file
is read.
"""

import os
import signal
import threading
from pathlib import Path

import breaking
import damage_nir
import h5py
import numpy as np
import pytest
from damage import damaged

from simulator.errors import InputError, SpikemeshError
from simulator.importers import apart
from simulator.importers.choices import Choices
from simulator.importers.formats import import_file

UNREADABLE = "n.nir: cannot be read as HDF5: "
# what is said, what reading the file does
ENDS = [
    (UNREADABLE + "the HDF5 library takes more than 1 s over it", breaking.endless),
    (UNREADABLE + "it takes more than 512 MiB", breaking.gigabytes),
    (UNREADABLE + "the HDF5 library fails over it (signal 11)", breaking.crash),
    (UNREADABLE + "of a kind", breaking.odd),
    ("n.nir: must be another", breaking.refused),
]


def read(path: Path, function) -> object:
    return apart.read(path, "breaking", function.__name__)


@pytest.mark.parametrize(("said", "function"), ENDS, ids=[f.__name__ for _, f in ENDS])
def test_whatever_reading_comes_to_is_one_line(said, function, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(apart, "SECONDS", 1)
    path = tmp_path / "n.nir"
    path.write_text("held")
    with pytest.raises(InputError) as error:
        read(path, function)
    assert said == str(error.value)
    text, array, process = read(path, breaking.whole)
    assert ("held", [0, 1, 2]) == (text, array.tolist())
    assert process != os.getpid()


def test_a_ctrl_c_ends_the_reading_and_what_reads(tmp_path: Path) -> None:
    # a shell's background job, which tests may be, ignores it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    path = tmp_path / "n.nir"
    path.write_text("held")
    read(path, breaking.whole)
    (reader,) = apart._readers
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.3, signal.pthread_kill, [main, signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            read(path, breaking.endless)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert -signal.SIGKILL == reader.process.returncode
    assert "held" == read(path, breaking.whole)[0]


# what is said, a damaged file: HDF5 itself went on for ever, or asked for 4 GB
HOSTILE = [
    ("the HDF5 library takes more than 1 s over it", 1035209122),
    ("the HDF5 library takes more than 1 s over it", 539166712),
    ("Can't synchronously read data (memory allocation failed for chunk)", 981006021),
]


@pytest.mark.parametrize(("said", "seed"), HOSTILE)
def test_a_file_that_the_library_cannot_cope_with(said, seed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(apart, "SECONDS", 1)
    path = damaged("nir", seed, tmp_path)
    with pytest.raises(SpikemeshError) as error:
        import_file(path, Choices(dt=1e-4))
    assert f"{path.name}: cannot be read as HDF5: {said}" == str(error.value)


#: fields of a file that are left alone, or may be left out
NEEDLESS = {"input_shape", "input_type", "output_type", "shape"}


def test_an_empty_array_in_the_place_of_any_is_named(tmp_path: Path) -> None:
    path, refused = tmp_path / "n.nir", set()
    for base in damage_nir.BASES:
        path.write_bytes(base)
        with h5py.File(path) as file:
            n = len(damage_nir.arrays(file))
        for k in range(n):
            path.write_bytes(base)
            with h5py.File(path, "r+") as file:
                held = damage_nir.arrays(file)[k]
                name = held.name.rsplit("/", 1)[1]
                damage_nir.replaced(held, np.zeros(0, held.dtype))
            try:
                import_file(path, Choices(dt=1e-4))
                assert name in NEEDLESS
            except SpikemeshError as error:
                assert f"{name}: must have values" in str(error)
                refused.add(name)
    assert {"weight", "tau", "start_dim", "stride", "shape"} <= refused
