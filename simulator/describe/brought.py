"""Networks of other tools as `Network.from_nir` and `from_onnx`: importers stand to the right of
what they make, and are reached by the public names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.describe.network import Network


def from_nir(
    cls: type[Network], file: str | Path, stimulus: str | Path | None = None, **choices: Any
) -> Network:
    """Return the network of a NIR file in integers; stimulus: a recording that scales and widths
    are calibrated on; choices: those of simulator.importers.choices.Choices.
    """
    import simulator

    return simulator.brought(file, stimulus, **choices).network  # type: ignore[no-any-return]


def from_onnx(
    cls: type[Network], file: str | Path, stimulus: str | Path | None = None, **choices: Any
) -> Network:
    """Return the network of a quantised ONNX file, whose quantised twin is the file's own
    arithmetic; the arguments are those of from_nir.
    """
    import simulator

    return simulator.brought(file, stimulus, **choices).network  # type: ignore[no-any-return]
