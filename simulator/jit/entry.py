"""Kernels that take addresses and integers: kept as machine code, and called without numba."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from ctypes import CFUNCTYPE, byref, c_int32, c_int64, c_void_p
from functools import cache, update_wrapper
from typing import Any

import numpy as np

from simulator import kernel_cache
from simulator.jit.waiting import Waiting


class Address:
    """What `handle` returns: where the arrays of a NamedTuple are, in the layout of the numba type
    Handle; the arrays are kept as long as this.
    """

    def __init__(self, fields: Any) -> None:
        """Write down where the arrays of `fields` are, as numba lays a tuple of them out: for each,
        two words that nobody reads, how many elements it has, of how many bytes, where they are,
        its shape and its strides.
        """
        words: list[int] = []
        kinds: list[Any] = [type(fields).__name__]
        for field in fields:
            if field is None:
                words.append(0)
                kinds.append(None)
                continue
            place = field.ctypes.data  # of records, __array_interface__ takes five times as long
            words += [0, 0, field.size, field.itemsize, place, *field.shape, *field.strides]
            flags = field.flags
            layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
            kinds.append((field.dtype, field.ndim, layout, flags.writeable, flags.aligned))
        self.fields, self.words = fields, np.array(words, np.int64)
        self.address = int(self.words.ctypes.data)
        known = tuple(kinds)
        if known not in _KINDS:
            _KINDS[known] = hashlib.sha256(repr(known).encode()).hexdigest()
        self.kind = _KINDS[known]


#: a name for each kind of tuple that was met: long to write, and long to compare
_KINDS: dict[tuple, str] = {}
#: held while a kernel is made, by one thread of several that call it
_LOCK = threading.Lock()


class Entry:
    """A kernel that only Python calls: it returns an integer."""

    def __init__(self, function: Callable) -> None:
        """`function`, of addresses and integers."""
        self.py_func = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.made: dict[tuple, Callable] = {}
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> int:
        """Run it for addresses and integers."""
        kinds = tuple([one.kind if isinstance(one, Address) else None for one in arguments])
        if kinds not in self.made:
            with _LOCK:
                if kinds not in self.made:
                    self.made[kinds] = self._make(kinds, arguments)
        answer, raised = c_int64(), c_void_p()
        numbers = [one.address if isinstance(one, Address) else int(one) for one in arguments]
        if self.made[kinds](byref(answer), byref(raised), *numbers):
            raise IndexError(f"{self.name}: an index is out of bounds")  # with NUMBA_BOUNDSCHECK
        return answer.value

    def _make(self, kinds: tuple, arguments: tuple) -> Callable:
        """Load it, compiled for some types before, or compile it."""
        code = self.py_func.__code__
        written = (kinds, _machine(), code.co_code, code.co_consts)
        key = f"{self.name}-{hashlib.sha256(repr(written).encode()).hexdigest()[:20]}.kernel"
        kept = kernel_cache.load(key)
        if kept is None:
            from simulator.jit import dispatch

            fields = [one.fields if isinstance(one, Address) else None for one in arguments]
            kept = dispatch.machine_code(self.py_func, fields)
            kernel_cache.save(key, kept)
        symbol, machine_code = kept.split(b"\0", 1)
        with Waiting():
            address = _place(symbol.decode(), machine_code)
        return CFUNCTYPE(c_int32, c_void_p, c_void_p, *[c_int64] * len(arguments))(address)


@cache
def _machine() -> tuple:
    """Return what machine code depends on beside its source."""
    from llvmlite import binding

    asked = [os.environ.get(name) for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")]
    features = binding.get_host_cpu_features().flatten()
    return binding.get_process_triple(), binding.get_host_cpu_name(), features, *asked


@cache
def _engine() -> Any:
    """Return what holds the machine code of this process."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    return binding.create_mcjit_compiler(binding.parse_assembly(""), target.create_target_machine())


def _place(symbol: str, code: bytes) -> int:
    """Return where a function of some machine code is, once it is in memory."""
    from llvmlite import binding

    _engine().add_object_file(binding.ObjectFileRef.from_data(code))
    _engine().finalize_object()
    return int(_engine().get_function_address(symbol))
