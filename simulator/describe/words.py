"""The words of a run, in one place each: which twin, how neurons fire, what a stimulus is."""

from __future__ import annotations

from typing import Final, Literal, get_args

Mode = Literal["snn", "qnn"]
SNN: Final = "snn"  # the spiking twin, T timesteps
QNN: Final = "qnn"  # the quantised twin, activations of ceil(log2(T + 1)) bits
MODES: tuple[Mode, ...] = get_args(Mode)

Firing = Literal["streaming", "accumulate"]
STREAMING: Final = "streaming"
ACCUMULATING: Final = "accumulate"
FIRINGS: tuple[Firing, ...] = get_args(Firing)

StimulusKind = Literal["current", "raster", "graded"]
CURRENT: Final = "current"
RASTER: Final = "raster"
GRADED: Final = "graded"

StateKind = Literal["reset", "carried"]
RESET: Final = "reset"  # every inference begins from the initial state
CARRIED: Final = "carried"  # from the state that the one before it left

Encoding = Literal["events", "bitmap", "dense"]
EVENTS: Final = "events"
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
BITMAP: Final = "bitmap"
AUTO: Final = "auto"  # the encoding that takes the fewest flits through routers
STREAM: Final = "dense"  # a dense stream: every value, active or not
