"""What is left out of numba's work while kernels compile: most of a compilation is Python's, and
much of that is found again and again.

All of it is private to numba and right to leave; compiling.py sets it and puts it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
from numba.core import event, ir, postproc, transforms, types
from numba.core.base import BaseContext as Target
from numba.core.options import DefaultOptions
from numba.core.rewrites.registry import RewriteRegistry
from numba.core.typing.context import BaseContext as Typing
from numba.np import arrayobj

#: whether kernels count references to arrays, and have to be told where a variable is done with
_COUNTS = not hasattr(DefaultOptions, "_nrt")
#: modules of the functions whose signatures never change
_HOMES = ("_operator", "builtins")

#: what numba does itself
_resolve: Any = Typing.resolve_function_type
_choose: Any = types.BaseFunction.get_call_type
_measure: Any = Target.get_abi_sizeof
_rewrite: Any = RewriteRegistry.apply

#: what was found once: signatures by function and types of arguments, and sizes
_resolved: dict[Any, Any] = {}
_chosen: dict[Any, Any] = {}
_sizes: dict[Any, int] = {}


def _plain_index(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
    """Return an index as it is: no kernel counts from an array's end (with NUMBA_BOUNDSCHECK one
    that did would be refused), and not to look makes the engine a fifth faster.
    """
    return context.cast(
        builder, index, kind, numba.types.intp if kind.signed else numba.types.uintp
    )


def _lasts(function: Any, named: Any) -> bool:
    """Return whether a function is an operator or a builtin, called without names: its signature
    for some types is always the same.
    """
    home = getattr(getattr(function, "typing_key", None), "__module__", None)
    return not named and isinstance(function, types.Function) and home in _HOMES


def _resolve_once(self: Any, function: Any, arguments: Any, named: Any) -> Any:
    """Return the signature of a function for types, that of an operator found once for all kernels:
    a quarter of a compilation is spent in looking for that of `+` and `[]`.
    """
    if not _lasts(function, named):
        return _resolve(self, function, arguments, named)
    key = function, tuple(arguments)
    if key not in _resolved:
        _resolved[key] = _resolve(self, function, arguments, named)
    return _resolved[key]


def _choose_once(self: Any, context: Any, arguments: Any, named: Any) -> Any:
    """Do the same where code is made for an operator: numba looks again."""
    if not _lasts(self, named):
        return _choose(self, context, arguments, named)
    key = self, tuple(arguments)
    if key not in _chosen:
        _chosen[key] = _choose(self, context, arguments, named)
    return _chosen[key]


def _size_once(self: Any, kind: Any) -> int:
    """Return the bytes a type takes, found once: numba has LLVM read a program for each."""
    if kind not in _sizes:
        _sizes[kind] = _measure(self, kind)
    return _sizes[kind]


def _list_variables(self: Any, value: Any) -> list[Any]:
    """Return the variables of a part of a statement, in half of the time."""
    found: list[Any] = []
    _gather(value, found)
    return found


def _gather(value: Any, found: list[Any]) -> None:
    kind = type(value)
    if kind is ir.Var:
        found.append(value)
    elif kind in (ir.Loc, str, int, type(None)):  # most of what a statement holds
        return
    elif isinstance(value, dict):
        for one in value.values():
            _gather(one, found)
    elif isinstance(value, list | tuple):
        for one in value:
            _gather(one, found)
    elif isinstance(value, ir.Inst):
        found.extend(value.list_vars())


def _after_a_pass(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    """Put the blocks of a function in order, and be ready to say which variables live where: numba
    finds that out after each of its passes, and most passes do not ask.  Which of them live where a
    generator yields is left out; no kernel is one.  Nor is it written into the function where each
    variable is done with, which is for those that count references.
    """
    function = self.func_ir
    function.blocks = transforms.canonicalize_cfg(function.blocks)
    function.variable_lifetime = postproc.VariableLifetime(function.blocks)
    function.generator_info = None
    if emit_dels and _COUNTS:
        self._insert_var_dels(extend_lifetimes=extend_lifetimes)


@contextmanager
def _no_timer(kind: str, callback: Callable) -> Iterator[None]:
    """Do not time: numba does, every lock inside every other one, for statistics nobody reads."""
    yield


def _rewrite_first(self: Any, kind: str, state: Any) -> None:
    """Leave out what rewrites arithmetic on whole arrays: it makes arrays, and no kernel does."""
    if kind == "before-inference" or _COUNTS:
        _rewrite(self, kind, state)


#: whose attribute, which, and what stands there while kernels compile
CHANGES: list[tuple[Any, str, Any]] = [
    (arrayobj, "fix_integer_index", _plain_index),
    (Typing, "resolve_function_type", _resolve_once),
    (types.BaseFunction, "get_call_type", _choose_once),
    (Target, "get_abi_sizeof", _size_once),
    (ir.Inst, "_rec_list_vars", _list_variables),
    (postproc.PostProcessor, "run", _after_a_pass),
    (event, "install_timer", _no_timer),
    (RewriteRegistry, "apply", _rewrite_first),
]
