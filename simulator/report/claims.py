"""The report of a chip's claims: published figures beside the figures that runs predict."""

from __future__ import annotations

from simulator.analytic.kinds import counted
from simulator.report.blocks import Block, Column, Tone, table, words
from simulator.report.writing import Folder
from simulator.study.claims import Prediction
from simulator.units import show

COLUMNS = (
    words("chip"),
    words("claim", wraps=True),
    Column("published"),
    Column("predicted"),
    Column("deviation"),
    Column("allowed"),
    words("kind"),
    words("source", wraps=True),
)

#: of claims.csv
CLAIM_COLUMNS = (
    "chip",
    "claim",
    "published",
    "predicted",
    "unit",
    "deviation",
    "least_allowed",
    "most_allowed",
    "holds",
    "kind",
    "source",
)


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
        claim.kind,
        claim.source,
    ]


def claims_view(predictions: list[Prediction]) -> list[Block]:
    """Return the table of claims, published and predicted."""
    rows = [
        [*_row(prediction), "" if prediction.holds else "does not hold"]
        for prediction in predictions
    ]
    tones: list[Tone] = ["" if prediction.holds else "bad" for prediction in predictions]
    return [table([*COLUMNS, words("", wraps=True)], rows, tones=tones, keys=2)]


def claims_markdown(predictions: list[Prediction]) -> str:
    """Return the same table for a README."""
    headings = (column.heading for column in COLUMNS)
    rules = ("---:" if column.align == "right" else "---" for column in COLUMNS)
    lines = [f"| {' | '.join(headings)} |", f"|{'|'.join(rules)}|"]
    lines += [f"| {' | '.join(_row(prediction))} |" for prediction in predictions]
    return "\n".join(lines) + "\n"


def summary(predictions: list[Prediction]) -> str:
    """Return one sentence: how many claims hold, and of which kinds these are."""
    holding = [prediction.claim.kind for prediction in predictions if prediction.holds]
    return f"{len(holding)} of {len(predictions)} claims hold: {counted(holding)}"


def put_claims(folder: Folder, predictions: list[Prediction]) -> None:
    """Write summary.json and claims.csv into a folder of results: a claim a row, its numbers in its
    SI unit, deviations as shares of what was published.
    """
    rows = [
        (
            prediction.chip,
            prediction.claim.claim,
            prediction.claim.number,
            prediction.predicted,
            prediction.claim.unit,
            prediction.deviation,
            *(share + 0.0 for share in prediction.claim.allowed),  # of "exact" not -0
            int(prediction.holds),
            prediction.claim.kind,
            prediction.claim.source,
        )
        for prediction in predictions
    ]
    holding = sum(prediction.holds for prediction in predictions)
    counts = {"claims": len(predictions), "holding": holding}
    folder.json("summary.json", {"schema_version": 1} | counts)
    folder.table("claims.csv", CLAIM_COLUMNS, rows)
