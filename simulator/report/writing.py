"""All writing of files: a file is there whole or not at all, and so is a folder of results.

A folder of results is made beside its place, under a name that begins with a dot and ends in
`.partial`, and renamed when everything is in it.  A run holds the lock of its folder; one that
nobody holds was left by a run that was killed, and the next run of that name removes it.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from simulator import scratch
from simulator.errors import InputError

#: what a folder of results cannot be without, and is written last
MANIFEST = "manifest.json"
PARTIAL, REPLACED = ".partial", ".replaced"
#: bytes of a name that are kept in the names made from it: file systems allow 255
MOST_NAME = 180
#: bytes of an array that are read and written at a time
BLOCK = 1 << 20


def json_text(content: Any) -> str:
    """Return `content` as JSON with two spaces; NaN and infinity are refused."""
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows under a header; numbers read back to the bit, None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


@contextmanager
def _saying(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a line that names the path."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `path` when all went well and leaves nothing behind when
    not.

    A device or a pipe is written directly.  Raises InputError when it cannot be written.
    """
    place = Path(os.path.realpath(path))
    temporary = place.with_name(_beside(place, PARTIAL))
    with _saying(path):
        if place.exists() and not place.is_file():
            with open(place, "wb") as file:
                yield file
            return
        try:
            with open(temporary, "wb") as file:
                yield file
            os.replace(temporary, place)
        finally:
            temporary.unlink(missing_ok=True)


def refuse_file(path: Path) -> None:
    """Raise InputError when a file cannot be written, and leave everything as it is."""
    place = Path(os.path.realpath(path))
    with _saying(path):
        if _is_there(place) and not place.is_file():
            open(place, "wb").close()
            return
        temporary = place.with_name(_beside(place, PARTIAL))
        try:
            temporary.touch(exist_ok=False)
        finally:
            temporary.unlink(missing_ok=True)


def _prefix(place: Path) -> str:
    """Return what the names made for a place begin with."""
    name = place.name
    if len(os.fsencode(name)) > MOST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return f".{name}."


def _beside(place: Path, ending: str) -> str:
    return f"{_prefix(place)}{os.getpid()}-{secrets.token_hex(4)}{ending}"


def _put_array(file: IO[bytes], array: np.ndarray) -> None:
    """Write one array in numpy's own format, version 1.0."""
    form = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(file, form)
    flat = (array.T if form["fortran_order"] else array).reshape(-1)
    step = max(1, BLOCK // max(array.itemsize, 1))
    for first in range(0, len(flat), step):
        file.write(flat[first : first + step].tobytes())
        scratch.give_back(flat)


class Folder:
    """A folder of results while it is written; nobody sees it under its final name yet."""

    def __init__(self, path: Path, place: Path) -> None:
        """Write into `path`, which will be `place`."""
        self.path, self.place = path, place

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Yield a new file of the folder."""
        with _saying(self.place / name), open(self.path / name, "xb") as file:
            yield file

    def text(self, name: str, text: str) -> None:
        """Write a text."""
        with self.file(name) as file:
            file.write(text.encode())

    def json(self, name: str, content: Any) -> None:
        """Write `content` as JSON."""
        self.text(name, json_text(content))

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows as CSV."""
        self.text(name, csv_text(columns, rows))

    def arrays(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        """Write arrays as a compressed npz, with the bytes numpy writes; of arrays in temporary
        files no more than a block is in memory at a time.
        """
        with self.file(name) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, array in arrays.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as entry:
                    _put_array(entry, array)

    def sub(self, name: str) -> Folder:
        """Return a new folder in this one."""
        with _saying(self.place / name):
            (self.path / name).mkdir()
        return Folder(self.path / name, self.place / name)


@contextmanager
def result_folder(folder: str | Path, overwrite: bool = False) -> Iterator[Folder]:
    """Yield a Folder that takes the place of `folder` as a whole when all went well, and leaves
    nothing behind when not.

    Raises InputError at once when the place cannot be written, is being written by another run, or
    holds files; with `overwrite`, an older folder of results is replaced, and nothing else.
    """
    given = Path(folder)
    place = Path(os.path.realpath(given))
    _refuse(given, place, overwrite)
    with _saying(given):
        parents = [parent for parent in place.parents if not parent.exists()]
    path, held = place.with_name(_beside(place, PARTIAL)), None
    try:  # a Ctrl-C may come as soon as there is something to remove
        with _saying(given):
            place.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(given, place)
            while held is None:
                path = place.with_name(_beside(place, PARTIAL))
                path.mkdir()
                held = lock(path)
        yield Folder(path, given)
        if not (path / MANIFEST).is_file():
            raise ValueError(f"a folder of results ends with its {MANIFEST}")
        _refuse(given, place, overwrite)
        with _saying(given):
            _move(path, place)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        for parent in parents:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise
    finally:
        if held is not None:
            os.close(held)


def _refuse(given: Path, place: Path, overwrite: bool) -> None:
    """Raise InputError when a place is not free."""
    with _saying(given):
        if not _is_there(place):
            return
        if not place.is_dir():
            raise InputError(f"{given}: must be a folder, not a file")
        if not any(place.iterdir()):
            return
        if not overwrite:
            raise InputError(
                f"{given}: must be a new or an empty folder, not one that holds files "
                f"(overwrite replaces it as a whole)"
            )
        if not (place / MANIFEST).is_file():
            raise InputError(
                f"{given}: must be a folder of results to be replaced, not one without "
                f"{MANIFEST}: its files may be something else"
            )


def _is_there(place: Path) -> bool:
    """Whether anything has that name; raises OSError for a name that nothing can have."""
    try:
        os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def lock(path: Path) -> int | None:
    """Return a descriptor that holds a folder's lock; None when another run has it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.stat(path)  # whoever held it may have removed it
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_leftovers(given: Path, place: Path) -> None:
    """Remove what killed runs left beside a place; raises InputError when a run is at work."""
    for path in list(place.parent.iterdir()):
        if not path.name.startswith(_prefix(place)) or path.suffix not in (PARTIAL, REPLACED):
            continue
        if not path.is_dir() or path.is_symlink():
            continue
        held = lock(path)
        if held is None and path.exists():
            raise InputError(f"{given}: must be free, not being written by another run")
        if held is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(held)


def _move(path: Path, place: Path) -> None:
    """Put a folder into its place, and remove what was there."""
    if not place.is_dir() or not any(place.iterdir()):
        os.rename(path, place)  # an empty folder gives way
        return
    aside = place.with_name(_beside(place, REPLACED))
    os.rename(place, aside)
    try:
        os.rename(path, place)
    except BaseException:
        if not place.exists():
            os.rename(aside, place)
        raise
    shutil.rmtree(aside, ignore_errors=True)
