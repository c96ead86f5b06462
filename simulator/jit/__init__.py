"""The only folder that imports numba: the decorators of kernels, what is kept of compiled ones, and
what is said while they compile.

numba is imported when a kernel has to be compiled, or one that takes arrays is called: what a short
command calls are entries, which are kept as machine code and need none of it.  Importing this
changes nothing for other users of numba in the process: no environment variable and no setting of
numba's is written.  Kernels carry their own cache (kernel_cache.py), and how they are compiled is
set under numba's compiler lock and put back before anybody else can compile.  NUMBA_OPT, where it
is set, is left as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, TypeVar, overload

from simulator.jit.entry import Address, Entry

Function = TypeVar("Function", bound=Callable)

_asked = os.environ.get("NUMBA_DISABLE_JIT", "")
#: as numba reads it, which goes on as without what is no number
JIT_DISABLED = _asked.isdecimal() and int(_asked) != 0


@overload
def kernel(function: Function) -> Function: ...
@overload
def kernel(*, inline: bool, simd: bool = False) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: bool | None = None, simd: bool = False) -> Any:
    """Compile `function` for integers and arrays: cached on disk, no reference counting, numpy's
    error model; other threads run meanwhile.

    A kernel allocates nothing, raises nothing and keeps no global state; under NUMBA_DISABLE_JIT=1
    it is plain Python. `inline` says that only other kernels call it, so that it is compiled as a
    part of them; True lets them absorb it, which is for what runs often.  simd: it is a loop over
    arrays and is optimised by itself, before those that call it.
    """
    if function is None:
        return lambda wrapped: (
            kernel(wrapped) if JIT_DISABLED else Part(wrapped, bool(inline), simd)
        )
    return function if JIT_DISABLED else Whole(function)


def entry_point(function: Function) -> Function:
    """Compile a kernel that only Python calls, with addresses (`handle`) and integers, and that
    returns an integer.
    """
    wrapped: Any = function if JIT_DISABLED else Entry(function)
    return wrapped  # type: ignore[no-any-return]


class Whole:
    """A kernel that is called from Python, with arrays too, and from other kernels."""

    def __init__(self, function: Callable) -> None:
        """`function`, as `kernel` is told of it."""
        self.py_func = function
        update_wrapper(self, function)

    @cached_property
    def dispatcher(self) -> Any:
        """What numba makes of it."""
        from simulator.jit import dispatch

        return dispatch.whole(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where a kernel names it."""
        return self.dispatcher._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return self.dispatcher(*arguments)


class Part:
    """A kernel that only other kernels call.  It is made when one that calls it is compiled: a
    command whose kernels are kept needs none of them.
    """

    def __init__(self, function: Callable, is_absorbed: bool, is_simd: bool) -> None:
        """`function`, as `kernel` is told of it."""
        self.py_func, self.is_absorbed, self.is_simd = function, is_absorbed, is_simd

    @cached_property
    def dispatcher(self) -> Any:
        """What numba makes of it."""
        from simulator.jit import dispatch

        return dispatch.part(self.py_func, self.is_absorbed, self.is_simd)

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where a kernel names it."""
        return self.dispatcher._numba_type_


class _Lowest:
    """The number of the lowest set bit of a mask that is not zero, in kernels one instruction."""

    def __call__(self, mask: int) -> int:
        mask = int(mask)
        return (mask & -mask).bit_length() - 1

    @property
    def _numba_type_(self) -> Any:
        from simulator.jit import dispatch, handles

        return dispatch.type_of(handles.lowest)


def handle(fields: Any) -> Any:
    """Return what an entry takes in place of a NamedTuple of arrays, some of which may be None."""
    return fields if JIT_DISABLED else Address(fields)


lowest: Callable[[int], int] = _Lowest()
