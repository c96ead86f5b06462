"""What chip files must reproduce, beside what runs on them predict."""

from __future__ import annotations

from rich.table import Table

from simulator.study.claims import Prediction
from simulator.units import show

COLUMNS = ("chip", "claim", "published", "predicted", "deviation", "allowed", "source")


def _row(prediction: Prediction) -> list[str]:
    claim = prediction.claim
    least, most = claim.allowed
    allowed = (
        "exact"
        if least == most == 0
        else f"±{most:.1%}"
        if least == -most
        else f"{least:+.0%} to {most:+.0%}"
    )
    # an exact claim's deviation is the rounding of sums
    exact = allowed == "exact" and prediction.holds
    return [
        prediction.chip,
        claim.claim,
        claim.value,
        show(prediction.predicted, claim.unit),
        "0" if exact else f"{prediction.deviation:+.2%}",
        allowed,
        claim.source,
    ]


def claims_view(predictions: list[Prediction]) -> Table:
    """Return the table of claims, published and predicted."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate([*COLUMNS, ""]):
        table.add_column(column, justify="right" if number in (2, 3, 4, 5) else "left")
    for prediction in predictions:
        table.add_row(
            *_row(prediction),
            "" if prediction.holds else "does not hold",
            style="" if prediction.holds else "red",
        )
    return table


def claims_markdown(predictions: list[Prediction]) -> str:
    """Return the same table for a README."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|---|---:|---:|---:|---:|---|"]
    return (
        "\n".join(
            [*lines, *("| " + " | ".join(_row(prediction)) + " |" for prediction in predictions)]
        )
        + "\n"
    )
