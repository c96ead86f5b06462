"""A NamedTuple of arrays by its address, and the lowest set bit of a mask.

A kernel that is given such a tuple by value gets seven numbers for each array, and hands all of
them on to every kernel it calls: for the State of the engine that is 500 numbers a call, and most
of the time that compiling took.  A kernel that is given the address reads what it needs.
"""

from __future__ import annotations

import hashlib
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model


class Handle(types.Type):  # type: ignore[misc]
    """The address of a NamedTuple of arrays."""

    def __init__(self, fields: Any) -> None:
        """The address of `fields`, a numba type; its name is short, for functions carry it."""
        self.fields = fields
        digest = hashlib.sha256(repr(fields).encode()).hexdigest()[:8]
        super().__init__(f"{fields.instance_class.__name__}_{digest}")

    def index(self, name: str) -> int:
        """Return which field has a name."""
        return list(self.fields.fields).index(name)


@register_model(Handle)
class Model(models.PrimitiveModel):  # type: ignore[misc]
    """In a register: a pointer to the arrays' descriptors."""

    def __init__(self, manager: Any, kind: Handle) -> None:
        """A pointer to what the tuple is by value."""
        super().__init__(manager, kind, manager.lookup(kind.fields).get_value_type().as_pointer())


@infer_getattr
class Fields(AttributeTemplate):  # type: ignore[misc]
    """The arrays behind an address, by name."""

    key = Handle

    def generic_resolve(self, handle: Handle, name: str) -> Any:  # type: ignore[override]
        """Return the type of a field."""
        return handle.fields.types[handle.index(name)]


@lower_getattr_generic(Handle)
def _field(context: Any, builder: Any, handle: Handle, address: Any, name: str) -> Any:
    """Read an array's descriptor, which never changes while the kernel runs."""
    index = handle.index(name)
    kind = handle.fields.types[index]
    if kind is types.none:
        return context.get_dummy_value()
    model = context.data_model_manager[kind]
    value = context.make_array(kind)(context, builder)
    size = context.get_constant(
        types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype))
    )
    for k, part in enumerate(model._fields):
        if part in ("meminfo", "parent"):
            continue
        if part == "itemsize":
            value.itemsize = size
            continue
        if part == "nitems" and kind.ndim == 1:
            continue
        if part == "strides" and kind.ndim == 1 and kind.layout == "C":
            value.strides = cgutils.pack_array(builder, [size])
            continue
        found = builder.load(cgutils.gep_inbounds(builder, address, 0, index, k))
        found.set_metadata("invariant.load", builder.module.add_metadata([]))
        setattr(value, part, found)
        if part == "shape" and kind.ndim == 1:
            value.nitems = builder.extract_value(found, 0)
    return value._getvalue()


@intrinsic
def lowest(typing_context, mask):  # type: ignore[no-untyped-def]
    """Return the number of the lowest set bit of a mask that is not zero."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate
