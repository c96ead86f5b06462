"""Which encoding a workload asks for: for what a population sends, or for one projection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.describe.messages import alternatives, near_miss, shown_value
from simulator.describe.network import Network
from simulator.describe.words import AUTO, ENCODINGS


def encoding_of(
    network: Network, encoding: str | Mapping[str, str] | None, number: int
) -> str | None:
    """Return the encoding that is asked for a projection: by its own name, by that of its source,
    or for all; None where none is.  Inputs are sent event by event.
    """
    projection = network.projections[number]
    source = network.populations[projection.source]
    if source.is_input or encoding is None:
        return None
    if isinstance(encoding, str):
        return encoding
    return encoding.get(network.ends(projection), encoding.get(source.name))


def misencoded(
    network: Network, encoding: str | Mapping[str, str] | None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every fault of an encoding: the key below it, and what is wrong."""
    if encoding is None or encoding == AUTO:
        return
    if not isinstance(encoding, dict):
        yield (), f"must be {AUTO!r}, or encodings by population, not {shown_value(encoding)}"
        return
    sending = [p for p in network.projections if not network.populations[p.source].is_input]
    names = [network.populations[p.source].name for p in sending]
    names += [network.ends(p) for p in sending]
    for name, given in encoding.items():
        if name not in names:
            yield (name,), f"must name what sends to a population{near_miss(name, names)}"
        if given not in (*ENCODINGS, AUTO):
            yield (name,), f"must be {alternatives((*ENCODINGS, AUTO))}, not {shown_value(given)}"
