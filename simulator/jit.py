"""The only file that imports numba: one decorator, what is kept of compiled kernels, and what is
said while they compile.

Importing it changes nothing for other users of numba in the process: no environment variable and no
setting of numba's is written.  Kernels carry their own cache (kernel_cache.py), and the
optimisation level they are compiled at is set under numba's compiler lock and put back before
anybody else can compile.  NUMBA_OPT, where it is set, is left as it is.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, overload

import numba
from numba.core import caching, event
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.options import DefaultOptions
from numba.core.serialize import dumps
from numba.extending import intrinsic
from numba.np import arrayobj

from simulator import kernel_cache

Function = TypeVar("Function", bound=Callable)

#: a quarter of the compilation saved; the engine and the dense rows run as fast, convolutions 18 %
#: slower (docs/performance.md)
OPTIMISATION = "1"
#: seconds of compiling after which something is said, and between two lines
PATIENCE, PAUSE = 1.0, 3.0
#: kernels below which nothing is said: they take a moment
FEW = 5
#: times a kernel is compiled, for other types of its arguments each: 116 for the 89 of the engine
VERSIONS = 1.3

_njit: Any = numba.njit
_settings: Any = numba.config
JIT_DISABLED = bool(getattr(_settings, "DISABLE_JIT", 0))
#: kernels hand arrays on without counting references, five times as fast; the flag is private, and
#: right to leave out
_OPTIONS: dict[str, Any] = {"error_model": "numpy"} | (
    {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
)


#: what numba makes of an index, looking whether it counts from the end; private, right to leave
_wrapped_index: Any = getattr(arrayobj, "fix_integer_index", None)


def _plain_index(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
    """Return an index as it is: no kernel counts from an array's end (with NUMBA_BOUNDSCHECK one
    that did would be refused), and not to look makes the engine a fifth faster.
    """
    return context.cast(
        builder, index, kind, numba.types.intp if kind.signed else numba.types.uintp
    )


class _Cache(caching._Cache):
    """The compiled versions of one kernel on disk, in place of numba's own cache.

    numba's own checks one source file only: after an edit of a callee in another module it would
    silently return the old result.
    """

    def __init__(self, function: Callable) -> None:
        """The kept versions of `function`."""
        self.name = f"{function.__module__}.{function.__qualname__}"
        code = function.__code__
        self.code = hashlib.sha256(code.co_code + repr(code.co_consts).encode()).hexdigest()

    @property
    def cache_path(self) -> str:
        """The folder; empty where nothing can be kept."""
        return str(kernel_cache.folder() or "")

    def _key(self, signature: Any, codegen: Any) -> str:
        what = repr((signature, codegen.magic_tuple(), self.code))
        return f"{self.name}-{hashlib.sha256(what.encode()).hexdigest()[:20]}.kernel"

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """Return the kernel for some types as it was kept; None: it has to be compiled."""
        target_context.refresh()
        content = kernel_cache.load(self._key(sig, target_context.codegen()))
        if content is None:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(content))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel compiled for some types."""
        if not data.lifted and not data.library.has_dynamic_globals:
            kernel_cache.save(self._key(sig, data.codegen), dumps(data._reduce()))

    def enable(self) -> None:
        """Do nothing: the cache is always used."""

    def disable(self) -> None:
        """Do nothing: the cache is always used."""

    def flush(self) -> None:
        """Do nothing: a version's kernels go with its folder."""


class _Progress(event.Listener):
    """Says on stderr how far a compilation is, kernel by kernel, once it takes longer."""

    def __init__(self, function: Callable) -> None:
        """Nothing compiled yet of a kernel and those it calls."""
        self.expected, self.n_done = round(VERSIONS * (len(_called(function)) + 1)), 0
        self.started = self.said = time.monotonic()
        self.is_long = False

    def on_start(self, event: Any) -> None:
        """See a kernel begin."""
        now = time.monotonic()
        if self.expected < FEW:
            return
        if not self.is_long and now - self.started > PATIENCE:
            self.is_long, self.said = True, now
            kernel_cache.say("compiling for this machine, once per version; usually 10 to 60 s")
        elif self.is_long and now - self.said > PAUSE:
            self.said = now
            expected = max(self.expected, self.n_done + 1)
            self._say(f"compiling: {self.n_done} of about {expected} kernels")

    def on_end(self, event: Any) -> None:
        """See a kernel end."""
        self.n_done += 1

    def finish(self) -> None:
        """Say that a long compilation is over."""
        if self.is_long:
            self._say(f"compiled: {self.n_done} kernels")

    def _say(self, what: str) -> None:
        kernel_cache.say(f"{what}, {time.monotonic() - self.started:.0f} s")


def _called(function: Callable, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return every other kernel a kernel calls, and those they call, by name."""
    known = {} if known is None else known
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        called = getattr(value, "py_func", None)
        if called is not None and called.__qualname__ not in known:
            known[called.__qualname__] = called
            _called(called, known)
    return known


@contextmanager
def _compiling(function: Callable) -> Iterator[None]:
    """Hold numba's compiler, at our optimisation level, and listen to it."""
    with global_compiler_lock:
        level = _settings.OPT
        if "NUMBA_OPT" not in os.environ:
            _settings.OPT = type(level)(OPTIMISATION)
        if _wrapped_index is not None:
            arrayobj.fix_integer_index = _plain_index
        progress = _Progress(function)
        try:
            with event.install_listener("numba:compile", progress):
                yield
            progress.finish()
        finally:
            _settings.OPT = level
            if _wrapped_index is not None:
                arrayobj.fix_integer_index = _wrapped_index


@overload
def kernel(function: Function) -> Function: ...
@overload
def kernel(*, inline: bool) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: bool | None = None) -> Any:
    """Compile `function` for integers and arrays: cached on disk, no reference counting, numpy's
    error model.

    A kernel allocates nothing, raises nothing and keeps no global state; under NUMBA_DISABLE_JIT=1
    it is plain Python. `inline` says that only other kernels call it, so that no entry from Python
    is built; True lets them absorb it, which is for what runs often: handing over a State of forty
    arrays costs a tenth of a microsecond.
    """
    if function is None:
        return lambda wrapped: kernel(wrapped) if JIT_DISABLED else _inner(wrapped, bool(inline))
    dispatcher = _njit(**_OPTIONS)(function)
    if not JIT_DISABLED:
        _keep(dispatcher, function)
    return dispatcher


def _keep(dispatcher: Any, function: Callable) -> None:
    """Let a dispatcher use our cache and compile under our settings."""
    compile_for = dispatcher.compile

    def compile_with_settings(signature: Any) -> Any:
        with _compiling(function):
            return compile_for(signature)

    dispatcher._cache = _Cache(function)
    dispatcher.compile = compile_with_settings


def _inner(function: Function, is_absorbed: bool) -> Function:
    options = {"forceinline": is_absorbed, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _njit(**_OPTIONS, **options)(function)  # type: ignore[no-any-return]


if JIT_DISABLED:

    def lowest(mask: int) -> int:
        """Return the number of the lowest set bit of a mask that is not zero."""
        mask = int(mask)
        return (mask & -mask).bit_length() - 1

else:

    @intrinsic
    def lowest(typing_context, mask):  # type: ignore[no-untyped-def]
        """Return the number of the lowest set bit of a mask that is not zero."""

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            from llvmlite import ir

            return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

        return numba.types.int64(numba.types.int64), generate
