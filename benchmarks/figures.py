"""What is measured: a figure with its spread, the target it is held to, and the peer it is compared
with.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sample:
    """Several measurements of one quantity."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: list[float]) -> Sample:
        """Return the median and the extremes of some measurements."""
        ordered = sorted(values)
        middle = len(ordered) // 2
        median = (
            ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
        )
        return cls(median, ordered[0], ordered[-1], len(ordered))

    def rate(self, work: float) -> Sample:
        """Return work per measured second."""
        return Sample(work / self.median, work / self.high, work / self.low, self.count)

    def scaled(self, factor: float) -> Sample:
        """Return the sample times a positive factor."""
        return Sample(self.median * factor, self.low * factor, self.high * factor, self.count)


@dataclass(frozen=True)
class Peer:
    """What another simulator does with the same work.

    `recorded`: a rate from docs/performance.md, not measured in this run.  `failure`: what a peer
    that was asked for said last before it failed; it has no value then.  `ratio`: how many times as
    fast we are, where both ran in turn; the rounds' median counts.
    """

    name: str
    value: float | None
    recorded: bool = False
    failure: str = ""
    ratio: Sample | None = None

    @classmethod
    def failed(cls, name: str, said: str) -> Peer:
        """Return a peer that did not run to its end, and what it said last."""
        return cls(name, None, failure=said)


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: Sample
    unit: str
    target: float | None = None
    is_lower_better: bool = False
    peers: tuple[Peer, ...] = ()
    least_ratio: float | None = None  # to the first peer, where that is the target
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def ratio(self, peer: Peer) -> float | None:
        """Return how many times better than the peer, above 1 where it is better; None where the
        peer failed.
        """
        if peer.value is None:
            return None
        if peer.ratio is not None:
            return peer.ratio.median
        return (
            peer.value / self.value.median
            if self.is_lower_better
            else self.value.median / peer.value
        )

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one, or where the peer it is held to
        failed.
        """
        met = []
        if self.target is not None:
            met.append(
                self.value.median <= self.target
                if self.is_lower_better
                else self.value.median >= self.target
            )
        if self.least_ratio is not None and self.peers:
            ratio = self.ratio(self.peers[0])
            if ratio is None:
                return None
            met.append(ratio >= self.least_ratio)
        return all(met) if met else None

    def as_json(self) -> dict[str, Any]:
        """Return the figure for a JSON file."""
        ratios = {peer.name: self.ratio(peer) for peer in self.peers}
        return asdict(self) | {"is_met": self.is_met, "ratios": ratios}


def shown(value: float, unit: str = "") -> str:
    """Return a number with three digits, a prefix and its unit: 12.3 M hops/s, 1.43 GB, 0.789 s."""
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            number = f"{value / size:.{max(0, 2 - int(math.log10(abs(value) / size)))}f}"
            return (
                f"{number} {prefix}{unit}"
                if len(unit) == 1
                else f"{number} {prefix} {unit}".rstrip()
            )
    number = f"{value:.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()


def line(figure: Figure) -> str:
    """Return one figure in words, the peers on lines of their own."""
    sign = "<=" if figure.is_lower_better else ">="
    wanted = [] if figure.target is None else [f"{sign} {shown(figure.target, figure.unit)}"]
    if figure.least_ratio is not None and figure.peers:
        wanted.append(f">= {figure.least_ratio:g} x {figure.peers[0].name}")
    verdict = {True: "met", False: "MISSED", None: "not judged"}[figure.is_met]
    spread = (
        f"[{shown(figure.value.low)} .. {shown(figure.value.high)}]"
        if figure.value.count > 1
        else ""
    )
    head = f"{figure.name:<52} {shown(figure.value.median, figure.unit):<20} {spread}"
    lines = [head.rstrip()]
    if wanted:
        lines.append(f"    target {' and '.join(wanted)}: {verdict}")
    for peer in figure.peers:
        if peer.value is None:
            lines.append(f"    {peer.name} FAILED; it said last:")
            lines += [f"        {said}" for said in peer.failure.splitlines()]
            continue
        how = "recorded, not measured in this run" if peer.recorded else "same run, same work"
        spread = ""
        if peer.ratio is not None:
            spread = f"[{peer.ratio.low:.3g} .. {peer.ratio.high:.3g}] "
            how = f"same work in turn, {peer.ratio.count} rounds of A B B A"
        lines.append(
            f"    {figure.ratio(peer):.3g} {spread}x {peer.name}: "
            f"{shown(peer.value, figure.unit)} ({how})"
        )
    if figure.note:
        lines.append(f"    {figure.note}")
    return "\n".join(lines)
