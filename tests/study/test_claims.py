"""Chips answer to what was published about them, by running; and a claim can fail."""

import re
from pathlib import Path

import pytest

from simulator import Chip, Workload, run
from simulator.commands.verbs import cli
from simulator.describe.library import names
from simulator.describe.published import Claim
from simulator.errors import CheckError, DescriptionError, InputError
from simulator.report.claims import claims_markdown, summary
from simulator.study import claim_cases, claims
from simulator.study.claims import ACCURACY, CASES, Prediction, predict

ALL = [(chip, claim) for chip in names("chip") for claim in Chip.load(chip).published]


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    return claims.check()


@pytest.mark.parametrize(
    "number", range(len(ALL)), ids=[f"{chip}-{claim.case}-{claim.value}" for chip, claim in ALL]
)
def test_a_shipped_chip_reproduces_what_was_published(
    predictions: list[Prediction], number: int
) -> None:
    prediction, (chip, claim) = predictions[number], ALL[number]
    assert (chip, claim) == (prediction.chip, prediction.claim)
    assert prediction.holds, (
        f"{prediction.predicted!r} against {claim.value}: {prediction.deviation:+.3%}"
    )


# chip, what must be claimed at least: the cases with no free parameter
MUST = [
    ("truenorth", "run_power", "68 mW", 0.01),
    ("truenorth", "run_power", "71 mW", 0.01),
    ("truenorth", "run_power", "94 mW", 0.01),
    ("odin", "saturated_power", "477 uW", 0.005),
    ("odin", "saturated_power", "35 uW", 0.005),
    *(
        ("loihi1", case, value, 0)
        for case, value in (
            ("hop_time", "4.1 ns"),
            ("hop_time", "6.5 ns"),
            ("hop_energy", "3.0 pJ"),
            ("hop_energy", "4.0 pJ"),
            ("synapse_time", "3.5 ns"),
            ("synapse_energy", "23.6 pJ"),
            ("update_time", "5.3 ns"),
            ("update_time", "8.4 ns"),
            ("update_energy", "52 pJ"),
            ("update_energy", "81 pJ"),
            ("barrier_time", "113 ns"),
            ("barrier_time", "465 ns"),
            ("spike_time", "2.1 ns"),
            ("spike_energy", "1.7 pJ"),
        )
    ),
    ("loihi1", "query_energy", "1.33 mJ", [0.08, 0.1]),
    ("loihi1", "query_energy", "1.33 mJ", [0.19, 0.21]),
]


@pytest.mark.parametrize("chip, case, value, tolerance", MUST)
def test_the_cases_without_a_free_parameter_are_claimed(
    chip: str, case: str, value: str, tolerance
) -> None:
    assert (case, value, tolerance) in [
        (claim.case, claim.value, claim.tolerance) for claim in Chip.load(chip).published
    ]


# case, parameters, what is changed in the chip, and by what the prediction grows
MOVES = [
    ("loihi1", "hop_time", {"direction": "east-west"}, "link.east_west.latency=4.9 ns", 1e-9),
    (
        "loihi1",
        "hop_energy",
        {"direction": "north-south"},
        "energy.link_north_south.value=4.1 pJ",
        0.1e-12,
    ),
    ("loihi1", "spike_time", {}, "core.axon_out.packet=2.3 ns", 1e-9),
    ("loihi1", "spike_energy", {}, "energy.ejection.value=2.7 pJ", 1e-12),
    ("loihi1", "synapse_time", {}, "core.synapse.accumulate=4.5 ns", 1e-9),
    ("loihi1", "synapse_energy", {}, "energy.accumulate.value=24.6 pJ", 1e-12),
    ("loihi1", "update_time", {"fires": False}, "core.soma.visit=6.3 ns", 1e-9),
    ("loihi1", "update_time", {"fires": True}, "core.soma.spike=4.1 ns", 1e-9),
    ("loihi1", "update_energy", {"fires": True}, "energy.threshold_test.value=53 pJ", 1e-12),
    ("loihi1", "barrier_time", {"tiles": 32}, "barrier.points=[[1, 113 ns], [32, 466 ns]]", 1e-9),
    ("loihi1", "idle_power", {}, "power.chip_static.value=1 mW", 1e-3),
]


@pytest.mark.parametrize(
    "chip, case, parameters, change, grows",
    MOVES,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_prediction_follows_the_chip_and_is_no_constant(
    chip, case, parameters, change, grows
) -> None:
    before, after = (
        CASES[case](Chip.load(chip, changes), **parameters) for changes in ((), (change,))
    )
    assert after - before == pytest.approx(grows, rel=1e-6, abs=0)


def test_every_case_is_used_or_moved() -> None:
    assert set(CASES) == {claim.case for _, claim in ALL}


# published, tolerance, predicted, whether it holds
TOLERANCES = [
    ("100 mW", 0.01, 0.101, True),
    ("100 mW", 0.01, 0.1011, False),
    ("100 mW", 0.01, 0.099, True),
    ("100 mW", 0.01, 0.0989, False),
    ("100 mW", [0.08, 0.10], 0.1, False),
    ("100 mW", [0.08, 0.10], 0.109, True),
    ("100 mW", [0.08, 0.10], 0.111, False),
    ("100 mW", 0, 0.1, True),
    ("100 mW", 0, 0.1 * (1 + 2 * ACCURACY), False),
]


@pytest.mark.parametrize("value, tolerance, predicted, holds", TOLERANCES)
def test_a_claim_holds_within_its_tolerance_and_not_beyond(
    value, tolerance, predicted, holds
) -> None:
    claim = claim_of(value=value, tolerance=tolerance, kind="prediction")
    assert holds == Prediction("chip", claim, predicted).holds


def claim_of(**changes) -> Claim:
    return Claim(
        **(
            dict(
                claim="power",
                value="1 mW",
                kind="fit",
                tolerance=0,
                source="nobody",
                case="idle_power",
            )
            | changes
        )
    )


# a claim, what is said
REFUSED = [
    (dict(case="idle"), "case must be one of idle_power, run_power, saturated_power"),
    (
        dict(parameters={"rate": "1 Hz"}),
        "case idle_power: got an unexpected keyword argument 'rate'",
    ),
    (dict(parameters={"corner": "hot"}), "corner: must be one of nominal"),
    (
        dict(case="hop_time", parameters={"direction": "up"}),
        "direction: must be east-west or north-south, not 'up'",
    ),
]


@pytest.mark.parametrize("changes, why", REFUSED)
def test_a_claim_that_cannot_be_run_is_refused(changes: dict, why: str) -> None:
    with pytest.raises(InputError, match=re.escape(why)):
        predict("generic-22nm", claim_of(**changes))


# key of a claim, value, what is said of it
FAULTS = [
    (
        "value",
        "71 eV",
        "must be an energy, a time, a power or a frequency with its unit, such as '71 mW'",
    ),
    ("tolerance", "[0.2, 0.1]", "must be a share, or [least, most]"),
    ("tolerance", "-0.1", "must be 0 or more"),
    ("kase", "idle_power", "unknown key"),
    ("kind", "guess", "must be 'prediction', 'identity' or 'fit', not 'guess'"),
    ("tolerance", "0.01", "must be 0, for an identity cannot miss, not 0.01"),
]


@pytest.mark.parametrize("key, value, why", FAULTS)
def test_a_written_claim_is_checked_like_everything_else(key: str, value: str, why: str) -> None:
    written = (
        "{claim: power, value: 1 mW, kind: identity, tolerance: 0, source: nobody, "
        "case: idle_power}"
    )
    with pytest.raises(DescriptionError, match=re.escape(why)):
        Chip.load("generic-22nm", (f"published=[{written}]", f"published.0.{key}={value}"))


def test_the_command_prints_the_table_and_fails_with_a_claim(capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", "chips"])
    cli.main(["chips", "--check", "odin"], standalone_mode=False)
    assert "all synapses busy at 75 MHz" in capsys.readouterr().out
    wrong = Prediction("odin", claim_of(), 0.0011)
    monkeypatch.setattr(claims, "check", lambda chips, progress=None: [wrong])
    with pytest.raises(CheckError, match=r"1 of 1 claims do not hold: odin: power: \+10.00%"):
        cli.main(["chips", "--check", "odin"], standalone_mode=False)
    assert "does not hold" in capsys.readouterr().out


def test_a_chip_without_claims_is_said_to_claim_nothing(capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", "chips"])
    cli.main(["chips", "--check", "generic-22nm"], standalone_mode=False)
    assert "generic-22nm claims nothing\n" == capsys.readouterr().out
    cli.main(["chips", "--check", "generic-22nm", "odin"], standalone_mode=False)
    first, header, *rows, blank, last = capsys.readouterr().out.splitlines()
    assert "generic-22nm claims nothing" == first and header.startswith("chip ")
    assert rows and all(row.startswith("odin ") for row in rows)
    assert "" == blank
    assert "2 of 2 claims hold: 0 identities, 2 fits, 0 predictions" == last


def test_claims_are_counted_by_what_they_are_worth(predictions: list[Prediction]) -> None:
    assert "26 of 26 claims hold: 17 identities, 4 fits, 5 predictions" == summary(predictions)


def test_the_table_for_a_page_has_a_row_per_claim() -> None:
    rows = claims_markdown(
        [Prediction("odin", claim_of(), 0.001), Prediction("odin", claim_of(tolerance=0.2), 0.0011)]
    )
    assert [
        "| odin | power | 1 mW | 1 mW | 0 | exact | fit | nobody |",
        "| odin | power | 1 mW | 1.1 mW | +10.00% | ±20.0% | fit | nobody |",
    ] == (rows.splitlines()[2:])


def test_the_page_shows_the_table_as_it_comes_out(predictions: list[Prediction]) -> None:
    page = Path(__file__).parents[2] / "chips" / "README.md"
    assert claims_markdown(predictions) in page.read_text()


def test_the_network_of_the_power_sweep_is_what_was_published() -> None:
    network = Workload.load("recurrent-million")
    neurons = [population.n_neurons for population in network.network.populations]
    assert 4096 * 256 * 0.999 < sum(neurons) <= 4096 * 256
    result = run(network, "truenorth", "snn")
    packets, ticks = result.count("packets_sent"), 4
    assert packets / ticks / sum(neurons) == pytest.approx(0.02007, rel=0.005, abs=0)
    assert 128 * packets == result.count("accumulates")
    # drawn pairs of 64 x 64 cores are (64 - 1/64) / 3 apart in x and as far in y
    for direction in ("east_west", "north_south"):
        hops = result.count(f"flit_hops_{direction}") / packets
        assert hops == pytest.approx(21.3, rel=0.02, abs=0)
    assert (0, ticks * 1_000_000) == (result.late_steps, result.record.cycles)


def test_how_full_a_query_s_cores_are_hardly_matters(monkeypatch) -> None:
    asked = dict(patterns=76800, dimensions=300, spikes=667, timesteps=60)
    chip = Chip.load("loihi1")
    quarter = claim_cases.query_energy(chip, **asked)
    monkeypatch.setattr(claim_cases, "FILLED", 0.0625)
    assert claim_cases.query_energy(chip, **asked) == pytest.approx(quarter, rel=0.002, abs=0)
    assert claim_cases.query_energy(chip, **asked) != quarter
