"""A constant as a component: which part of the chip it is the cost of, so that its value follows
from the chip's own keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
)
from pydantic_core import core_schema

from simulator.describe.documents import Description
from simulator.describe.fields import Frequency

Cell = Literal["lstp", "lop", "hp"]
Kind = Literal["sram", "router", "queue", "link", "arithmetic", "clock", "logic"]


class Component(Description):
    """A part priced by the tables in chips/components/, times a stated factor."""

    component: Kind
    cell: Cell | None = None  # of an sram
    times: Annotated[float, Field(gt=0.0, le=1e6)] = 1.0
    because: Annotated[str, Field(min_length=1)] | None = None  # why times

    @field_validator("cell")
    @classmethod
    def _of_a_memory(cls, cell: Cell | None, info: ValidationInfo) -> Cell | None:
        if cell is not None and info.data.get("component", "sram") != "sram":
            raise ValueError("must stand beside component: sram")
        return cell


class Slowest(Description):
    """The highest clock as that of the slowest part: a memory's access, the router, other logic."""

    component: Literal["slowest"]
    cell: Cell  # of the memories
    logic: Frequency  # what else is in a core, at the nominal voltage
    router: Frequency  # a router of REFERENCE reaches, at the nominal voltage


@dataclass(frozen=True)
class OrComponent:
    """Of a constant's type: it may be written as a component instead."""

    model: type[Description] = Component

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_wrap_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        own = self.model.model_json_schema()
        return {"anyOf": [handler(schema["schema"]), own]}

    def _read(self, value: Any, handler: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Description):
            return value
        if isinstance(value, dict) and "component" in value:
            return self.model.model_validate(value, context=info.context)
        return handler(value)
