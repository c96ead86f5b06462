"""docs/chip-keys.md lists the cases of claims as they are, and README.md the claims as they come
out.
"""

from __future__ import annotations

import inspect
import re

import pytest
from pages import ROOT

from simulator.report.claims import claims_markdown
from simulator.study import claims
from simulator.study.claims import CASES, Prediction

ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)


def taken(case: str) -> tuple[list[str], list[str]]:
    """Return the parameters a case must and may be given, beside the chip."""
    parameters = list(inspect.signature(CASES[case]).parameters.values())[1:]
    optional = [
        parameter.name for parameter in parameters if parameter.default is not parameter.empty
    ]
    return [parameter.name for parameter in parameters if parameter.name not in optional], optional


def test_the_page_lists_every_case_with_its_parameters() -> None:
    section = (ROOT / "docs" / "chip-keys.md").read_text().split("\n## Cases of claims\n")[1]
    told = {
        case: (re.findall(r"(?<!\*)`(\w+)`", parameters), re.findall(r"\*`(\w+)`\*", parameters))
        for case, parameters in ROW.findall(section)
    }
    assert {case: taken(case) for case in CASES} == told


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    return claims.check()


def test_the_readme_shows_every_claim_as_it_comes_out(predictions: list[Prediction]) -> None:
    section = (
        (ROOT / "README.md")
        .read_text()
        .split("\n## Held to what was published\n")[1]
        .split("\n## ")[0]
    )
    assert claims_markdown(predictions) in section


def test_the_readme_counts_the_claims_by_what_they_are_worth(
    predictions: list[Prediction],
) -> None:
    kinds = [prediction.claim.kind for prediction in predictions]
    number = {kind: kinds.count(kind) for kind in ("identity", "fit", "prediction")}
    assert {"identity": 17, "fit": 4, "prediction": 5} == number
    said = "Of the 26 claims 17 are *identities*", "Four are *fits*", "Only five are *predictions*"
    text = " ".join((ROOT / "README.md").read_text().split())
    assert all(words in text for words in said)


def test_the_readme_states_what_is_known_to_miss(predictions: list[Prediction]) -> None:
    query = [f"{100 * p.deviation:.0f}" for p in predictions if p.claim.case == "query_energy"]
    least, most, fitted = query
    said = (
        f"{least} to {most} % too high with the published energies, and {fitted} % with those of "
        f"the fit"
    )
    assert said in " ".join((ROOT / "README.md").read_text().split())
