"""Bands, draws and tornados: what they are worked out to by hand, and what must hold for every
run.
"""

import numpy as np
import pytest

from simulator import Chip, run, twin
from simulator.account import uncertainty
from simulator.account.energy import Ledger, refuse_all_in
from simulator.account.terms import ACTIONS, COMPONENT, CONSTANTS, TERMS, constants, rates
from simulator.account.uncertainty import draw, energies, moves_with, propagate, verdict
from simulator.errors import CheckError, InputError


def ledger(chip: Chip, **quantity: float) -> Ledger:
    """Return a ledger with so many units of each named action and nothing else."""
    place = np.zeros((len(TERMS), 1))
    for name, units in quantity.items():
        place[[constants for _, constants in TERMS].index((name,)), 0] = units
    value = {name: constant.value for name, constant in constants(chip).items()}
    return Ledger(place, place, None, rates(value), {})  # nobody asks for its steps


def banded(chip: Chip, **bands: tuple[float, float, float]) -> Chip:
    """Return the chip with (low, value, high) for the named energies and no band anywhere else."""
    energy, power = (
        table.model_copy(
            update={
                name: getattr(table, name).model_copy(update={"band": None, "source": f"of {name}"})
                for name in type(table).model_fields
            }
        )
        for table in (chip.energy, chip.power)
    )
    moved = {
        name: getattr(energy, name).model_copy(update={"value": value, "band": [low, high]})
        for name, (low, value, high) in bands.items()
    }
    return chip.model_copy(update={"energy": energy.model_copy(update=moved), "power": power})


@pytest.fixture(scope="module")
def chip() -> Chip:
    return Chip.load("generic-22nm")


@pytest.fixture(scope="module")
def twins():
    return twin("digits-mlp", timesteps=4, limit=2, draws=500, seed=3)


# low, value, high, quantile, drawn: the value is the median, halves are log-uniform, or uniform
# where they touch zero
QUANTILES = [
    (1.0, 4.0, 64.0, 0.0, 1.0),
    (1.0, 4.0, 64.0, 0.25, 2.0),
    (1.0, 4.0, 64.0, 0.5, 4.0),
    (1.0, 4.0, 64.0, 0.75, 16.0),
    (1.0, 4.0, 64.0, 1.0, 64.0),
    (0.0, 4.0, 64.0, 0.25, 2.0),
    (0.0, 0.0, 8.0, 0.25, 0.0),
    (0.0, 0.0, 8.0, 0.75, 4.0),
    (4.0, 4.0, 4.0, 0.3, 4.0),
]


@pytest.mark.parametrize("low, value, high, quantile, drawn", QUANTILES)
def test_a_constant_is_drawn_from_its_band_with_its_value_as_the_median(
    low, value, high, quantile, drawn
) -> None:
    assert drawn == pytest.approx(
        uncertainty._within(value, [low, high], np.array([quantile]))[0], rel=1e-15, abs=0
    )


def test_every_draw_lies_in_its_band_and_half_of_them_below_the_value(chip: Chip) -> None:
    for name, values in draw(chip, 2000, 1).items():
        constant = constants(chip)[name]
        low, high = constant.band or (constant.value, constant.value)
        assert (values >= low * (1 - 1e-12)).all() and (values <= high * (1 + 1e-12)).all(), name
        if constant.band is not None and low < constant.value:
            assert 900 < (values < constant.value).sum() < 1100, name


def test_a_seed_gives_the_same_draws_and_another_seed_others(chip: Chip) -> None:
    first, again, other = draw(chip, 5, 1), draw(chip, 5, 1), draw(chip, 5, 2)
    assert all(np.array_equal(first[name], again[name]) for name in CONSTANTS)
    assert not np.array_equal(first["weight_read"], other["weight_read"])


def test_a_draw_does_not_depend_on_the_other_constants(chip: Chip) -> None:
    band = (1e-12, 2e-12, 3e-12)
    alone, beside = banded(chip, weight_read=band), banded(chip, weight_read=band, event=band)
    assert np.array_equal(draw(alone, 9, 1)["weight_read"], draw(beside, 9, 1)["weight_read"])
    assert not np.array_equal(draw(beside, 9, 1)["event"], draw(beside, 9, 1)["weight_read"])


# constant, the one it moves with: `as <name>`, or the same source
TOGETHER = [
    ("output_queue", "input_queue"),
    ("ejection", "injection"),
    ("link_north_south", "link_east_west"),
    ("core_clock_idle", "core_clock_active"),
    ("weight_read", "weight_read"),
    ("reload", "reload"),
]


@pytest.mark.parametrize("name, leader", TOGETHER)
def test_constants_of_one_source_move_together(chip: Chip, name: str, leader: str) -> None:
    assert leader == moves_with(chip)[name]


def test_a_ratio_of_constants_of_one_source_never_moves(chip: Chip) -> None:
    drawn = draw(chip, 50, 1)
    assert np.array_equal(drawn["link_east_west"], drawn["link_north_south"])


# two energies of 1 pJ and 3 pJ per inference over two inferences
def test_spread_of_a_ledger_worked_out_by_hand(chip: Chip) -> None:
    chip = banded(chip, event=(0.5e-12, 1e-12, 2e-12), weight_read=(3e-12, 3e-12, 3e-12))
    spread = propagate(chip, ledger(chip, event=2, weight_read=2), 2, 4001, 0)
    assert spread.energy.nominal == pytest.approx(4e-12, rel=1e-12, abs=0)
    assert spread.energy.median == pytest.approx(4e-12, rel=0.02, abs=0)
    assert spread.energy.low == pytest.approx(3e-12 + 0.5e-12 * 2**0.1, rel=0.02, abs=0)
    assert spread.energy.high == pytest.approx(3e-12 + 0.5e-12 * 2**1.9, rel=0.02, abs=0)
    assert [("event", 3.5e-12, 5e-12)] == [
        (swing.constant, pytest.approx(swing.at_low), pytest.approx(swing.at_high))
        for swing in spread.tornado
    ]


def test_a_verdict_worked_out_by_hand(chip: Chip) -> None:
    # spiking: 4 events; quantised: 4 pJ of weights: the spiking twin wins in the draws in which an
    # event costs less than 1 pJ
    chip = banded(chip, event=(0.25e-12, 1e-12, 4e-12), weight_read=(1e-12, 1e-12, 1e-12))
    found = verdict(chip, (ledger(chip, event=4), 1), (ledger(chip, weight_read=4), 1), 4001, 0)
    below = (draw(chip, 4001, 0)["event"] < 1e-12).mean()
    assert below == found.spiking_wins and 0.45 < below < 0.55
    assert ["event"] == [swing.constant for swing in found.hangs_on]
    assert (0.25, 4.0) == pytest.approx((found.tornado[0].at_low, found.tornado[0].at_high))
    assert "hangs on event" in found.sentence()


def test_both_twins_meet_the_same_constants(chip: Chip) -> None:
    # the same work twice costs the same in every draw, however wide the bands are
    work = ledger(chip, weight_read=5, event=3, router_leakage=1)
    found = verdict(chip, (work, 1), (work, 1), 300, 0)
    assert (1.0, 1.0) == (found.ratio.low, found.ratio.high)
    assert not found.tornado


@pytest.mark.parametrize(
    "share, text", [(1.0, "100%"), (0.9999, "over 99%"), (0.83, "83%"), (0.5, "50%")]
)
def test_a_doubt_is_not_rounded_away(share: float, text: str) -> None:
    assert text == uncertainty._percent(share)


def test_a_draw_is_the_ledger_of_a_chip_with_those_constants(twins) -> None:
    chip, drawn = twins.snn.chip, draw(twins.snn.chip, 3, 5)
    for number in range(3):
        energy, power = (
            table.model_copy(
                update={
                    name: getattr(table, name).model_copy(
                        update={"value": float(drawn[name][number])}
                    )
                    for name in type(table).model_fields
                }
            )
            for table in (chip.energy, chip.power)
        )
        other = run(
            "digits-mlp",
            chip.model_copy(update={"energy": energy, "power": power}),
            "snn",
            timesteps=4,
            limit=2,
        )
        assert energies(twins.snn.ledger, drawn)[:, number].sum() == pytest.approx(
            other.ledger.total, rel=1e-9, abs=0
        )


def test_no_bands_no_spread(chip: Chip) -> None:
    result = run("digits-mlp", banded(chip), "snn", timesteps=4, limit=1, draws=20)
    energy = result.uncertainty.energy
    # every draw is the same sum, up to the order in which it is added
    for drawn in (energy.low, energy.median, energy.high):
        assert drawn == pytest.approx(energy.nominal, rel=1e-12, abs=0)
    assert not result.uncertainty.tornado


def test_components_of_a_spread_are_those_of_the_ledger(twins) -> None:
    spread = twins.snn.uncertainty
    for name, part in spread.by_component.items():
        assert part.nominal == pytest.approx(
            twins.snn.ledger.by_component[name] / 2, rel=1e-12, abs=0
        )
        assert part.low <= part.median <= part.high
    assert spread.energy.nominal == pytest.approx(
        sum(part.nominal for part in spread.by_component.values()), rel=1e-9, abs=0
    )


def test_a_tornado_is_what_a_chip_with_that_end_gives(twins) -> None:
    widest = twins.uncertainty.tornado[0]
    assert widest.width == max(swing.width for swing in twins.uncertainty.tornado)
    for end, expected in zip(widest.band, (widest.at_low, widest.at_high)):
        chip = twins.snn.chip
        name = "energy" if widest.constant in type(chip.energy).model_fields else "power"
        table, moved = getattr(chip, name), {"value": end, "band": None}
        constant = getattr(table, widest.constant).model_copy(update=moved)
        table = table.model_copy(update={widest.constant: constant})
        other = chip.model_copy(update={name: table})
        snn, qnn = (one.executed.priced(other).ledger.total for one in (twins.snn, twins.qnn))
        assert expected == pytest.approx(snn / qnn, rel=1e-9, abs=0)


def test_draws_are_in_the_summaries_and_nowhere_without(twins) -> None:
    assert (
        500
        == twins.summary()["uncertainty"]["draws"]
        == twins.snn.summary()["uncertainty"]["draws"]
    )
    assert 3 == twins.summary()["uncertainty"]["seed"]
    assert "of 500 draws" in twins.summary()["uncertainty"]["sentence"]
    assert run("digits-mlp", twins.snn.chip, "snn", limit=1).summary()["uncertainty"] is None


def test_a_ledger_is_quantity_times_constant(twins) -> None:
    ledger = twins.snn.ledger
    total = dict.fromkeys(ACTIONS, 0.0)
    for (action, _), units, joules in zip(TERMS, ledger.quantity, ledger.rate):
        total[action] += units * joules
    assert set(total) == set(COMPONENT)
    for name, joules in ledger.by_action.items():
        assert joules == pytest.approx(total[name], rel=1e-9, abs=0)


def test_an_all_in_number_is_refused_by_name(chip: Chip) -> None:
    wrong = chip.energy.accumulate.model_copy(
        update={"scope": "all_in", "source": "chip power over event rate"}
    )
    other = chip.model_copy(update={"energy": chip.energy.model_copy(update={"accumulate": wrong})})
    with pytest.raises(
        CheckError,
        match=r"no energy total can be given.*energy\.accumulate \(chip power over event rate\)",
    ):
        run("digits-mlp", other, "snn", limit=1)
    nothing = wrong.model_copy(update={"value": 0.0})
    refuse_all_in(
        chip.model_copy(update={"energy": chip.energy.model_copy(update={"accumulate": nothing})})
    )


# draws, seed, what is said
REFUSED = [(0, 0, "draws: must be at least 1, not 0"), (1, -1, "seed: must be 0 or more, not -1")]


@pytest.mark.parametrize("draws, seed, why", REFUSED)
def test_what_cannot_be_drawn_is_refused(chip: Chip, draws: int, seed: int, why: str) -> None:
    with pytest.raises(InputError, match=why):
        draw(chip, draws, seed)


def test_a_ratio_to_nothing_is_refused(chip: Chip) -> None:
    chip = banded(chip)
    with pytest.raises(InputError, match="must cost energy in every draw"):
        verdict(chip, (ledger(chip, event=1), 1), (ledger(chip), 1), 2, 0)
