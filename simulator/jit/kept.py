"""The compiled versions of a kernel on disk."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from typing import Any

from numba.core import caching
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from simulator import kernel_cache


class Kept(caching._Cache):
    """The compiled versions of one kernel on disk, in place of numba's own cache.

    numba's own checks one source file only: after an edit of a callee in another module it would
    silently return the old result.
    """

    def __init__(self, function: Callable, counts_references: bool) -> None:
        """The kept versions of `function`; whether they need numba's counting of references."""
        self.counts_references = counts_references
        self.name = f"{function.__module__}.{function.__qualname__}"
        code = function.__code__
        self.found: dict[str, bytes] = {}
        self.code = hashlib.sha256(code.co_code + repr(code.co_consts).encode()).hexdigest()

    @property
    def cache_path(self) -> str:
        """The folder; empty where nothing can be kept."""
        return str(kernel_cache.folder() or "")

    def _key(self, signature: Any, codegen: Any) -> str:
        what = repr((signature, codegen.magic_tuple(), self.code))
        return f"{self.name}-{hashlib.sha256(what.encode()).hexdigest()[:20]}.kernel"

    def find(self, signature: Any, target_context: Any) -> bool:
        """Return whether the kernel is kept for some types, and have it ready to be loaded."""
        key = self._key(signature, target_context.codegen())
        if key not in self.found:
            content = kernel_cache.load(key)
            if content is None:
                return False
            self.found[key] = content
        return True

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """Return the kernel for some types as it was kept; None: it has to be compiled.

        numba's own cache would first import the makers of everything numba can compile, a seventh
        of the first result; a kernel that is loaded needs none of them.
        """
        if not self.find(sig, target_context):
            return None
        if self.counts_references:
            rtsys.initialize(target_context)
        content = self.found.pop(self._key(sig, target_context.codegen()))
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
