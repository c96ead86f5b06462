"""The closed form holds where its assumptions do: on the idealised machine the ledger is the
formula, term by term.
"""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from small_workloads import dense, random_workloads, raster, workload

from simulator import Chip, Workload, run
from simulator.account.terms import ACTIONS
from simulator.analytic.constants import CONFIGURATIONS, hardware
from simulator.analytic.model import Operation, spiking
from simulator.describe.network import chain
from simulator.errors import CheckError
from simulator.study.measured import measure
from simulator.study.relaxations import BASE, mesh_for, relax, relaxations
from simulator.study.validate import RESULTS, formula, terms, total

PICO = 1e-12


def near(expected: float, rel: float):
    """Return what equals `expected` to `rel`, joules too: pytest alone takes any two below a
    picojoule for equal.
    """
    return pytest.approx(expected, rel=rel, abs=0)


#: two ports, so that what the neuron on core 1 sends is out of the chip at its own tile
PORTS = (
    "ports=[{name: in, role: input, tile: [0, 0], interval: 1 cycle}, "
    "{name: out, role: output, tile: [1, 0]}]"
)
#: what is done with the zeros of a stream -> changes of the chip
DENSE_WAYS = {
    "zeros skipped": ("packet.activations=dense",),
    "zeros read": ("packet.activations=dense", "core.synapse.zero_skip=false"),
}
#: engine -> random networks
EXAMPLES = {"compiled": 60, "reference": 8}


def on_mesh(loaded: Workload, changes: tuple[str, ...]) -> Chip:
    """Return the idealised chip with a small mesh on which every neuron has a core of its own."""
    small = Chip.load("yan-2024", (*changes, "mesh.width=4", "mesh.height=4"))
    return small.changed(mesh_for(loaded, small))


def agrees(loaded: Workload, chip: Chip, mode: str, engine: str) -> None:
    result = run(loaded, chip, mode, engine=engine)
    found = terms(result)
    wrong = [term for term in found if term.layer != "-" and not term.agrees]
    assert not wrong
    assert {term.name for term in found if term.layer == "-"} <= {RESULTS}
    assert total(found).ledger * result.finished == near(result.ledger.total, rel=1e-12)


@pytest.mark.parametrize("engine", EXAMPLES)
@pytest.mark.parametrize("mode", ["snn", "qnn"])
def test_the_ledger_is_the_formula_on_the_idealised_machine(mode: str, engine: str) -> None:
    @settings(max_examples=EXAMPLES[engine], deadline=None)
    @given(loaded=random_workloads())
    def law(loaded: Workload) -> None:
        agrees(loaded, on_mesh(loaded, ()), mode, engine)

    law()


@pytest.mark.parametrize("engine", EXAMPLES)
@pytest.mark.parametrize("way", DENSE_WAYS)
def test_and_where_the_quantised_twin_sends_streams_to_fully_connected_layers(
    way: str, engine: str
) -> None:
    @settings(max_examples=EXAMPLES[engine] // 2, deadline=None)
    @given(loaded=random_workloads(kinds=("dense",)))
    def law(loaded: Workload) -> None:
        agrees(loaded, on_mesh(loaded, DENSE_WAYS[way]), "qnn", engine)

    law()


#: how windows travel and are served -> changes of the chip
WINDOWS = {
    "counts, added": ("packet.spikes=counts", "core.synapse.reuse=window"),
    "counts, multiplied": (
        "packet.spikes=counts",
        "core.synapse.reuse=window",
        "core.synapse.counts=multiply",
    ),
    "counts, read for every spike": ("packet.spikes=counts",),
    "trains": ("packet.spikes=train", "core.synapse.reuse=window"),
}


@pytest.mark.parametrize("engine", EXAMPLES)
@pytest.mark.parametrize("way", WINDOWS)
def test_and_where_whole_windows_travel_as_one_event(way: str, engine: str) -> None:
    @settings(max_examples=EXAMPLES[engine] // 2, deadline=None)
    @given(loaded=random_workloads())
    def law(loaded: Workload) -> None:
        gathers = replace(loaded, firing="accumulate")
        agrees(gathers, on_mesh(gathers, WINDOWS[way]), "snn", engine)

    law()


def test_counts_move_what_equations_19_and_20_say_and_weights_are_read_once() -> None:
    # two inputs with 1 and 3 spikes of T = 3, 4 synapses each of 8 bits, a word each; one hop
    loaded = workload(
        chain((2,), (dense([[1] * 4] * 2, 100),)),
        raster([[[1, 1], [0, 1], [0, 1]]]),
        3,
        firing="accumulate",
        placement={"out": [1, 2, 3, 4]},
    )
    result = run(loaded, on_mesh(loaded, WINDOWS["counts, added"]), "snn")
    (layer,) = measure(result)
    # R_S: every weight is read once for the two spikes an active source has in the mean
    assert layer.reuse == near(2.0, rel=1e-9)
    assert (layer.active, layer.spike_rate) == (1.0, 4 / (2 * 3))
    asked = Operation(
        3, layer.spike_rate, layer.active, 2, 8, layer.hops, reuse_snn=1.0, aggregated=True
    )
    whole = spiking(asked, hardware("typical")).way["sparse"]
    for name in ("weight_read", "transfer"):
        (term,) = (term for term in terms(result) if term.name == name)
        assert (
            float(whole[name]) * 4 == near(term.ledger, rel=1e-9) == near(term.measured, rel=1e-9)
        )


# two inputs, one neuron one hop away, T = 2, weights 3 and 5, threshold 8
# in step 0 both fire (V = 8: a spike, V = 0), in step 1 only the second (V = 5)
HAND = {
    "snn": {  # 3 spikes arrive
        "accumulate": 3 * 0.05448,
        "compare": 2 * 0.05448,
        "reset": 1 * 0.05448,
        "weight_read": 3 * 0.31,
        "transfer": 3 * 3.0,
    },
    "qnn": {  # counts 1 and 2 arrive, two bits each: z = 3 + 10, u = 1
        "multiply": 2 * 0.08831,
        "clamp": 2 * 0.05448,
        "weight_read": 2 * 0.31,
        "transfer": 2 * 2 * 3.0,
    },
}


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("mode", HAND)
def test_a_network_of_one_neuron_by_hand(mode: str, engine: str) -> None:
    loaded = workload(
        chain((2,), (dense([[3], [5]], 8),)),
        raster([[[1, 1], [0, 1]]]),
        2,
        placement={"out": [1]},
    )
    result = run(loaded, Chip.load("yan-2024", (PORTS,)), mode, engine=engine)
    found = {term.name: term for term in terms(result)}
    assert set(found) == set(HAND[mode])
    for name, picojoules in HAND[mode].items():
        for value in (found[name].measured, found[name].ledger):
            assert value == near(picojoules * PICO, rel=1e-9)
    assert result.ledger.total == near(sum(HAND[mode].values()) * PICO, rel=1e-9)


def efficient() -> Workload:
    """16,384 input spikes over 100 inferences of N = 4096, T = 2: 96 with 160 of them, 4 with 256,
    which reach the threshold.
    """
    values = np.zeros((100, 2 * 4096), np.int32)
    rng = np.random.default_rng(1)
    for inference in range(100):
        values[inference, rng.permutation(2 * 4096)[: 256 if inference % 25 == 0 else 160]] = 1
    network = chain((4096,), (dense(np.ones((4096, 1)), 256),))
    return workload(network, raster(values.reshape(100, 2, 4096)), 2, placement={"out": [1]})


def test_the_efficient_network_costs_in_simulation_what_was_published() -> None:
    result = run(efficient(), Chip.load("yan-2024", (PORTS,)), "snn")
    assert len(result.raster.traces[0].neuron) == 16384
    assert len(result.raster.traces[1].neuron) == 4
    assert f"{result.ledger.total / PICO:.2f}" == "55134.75"
    named = CONFIGURATIONS["efficient"]
    one = spiking(Operation(named.timesteps, named.rate, 0.0, named.fan_in), hardware("typical"))
    assert result.ledger.total == near(100 * float(one.total), rel=1e-9)


# setting of the model -> price of a sparse and a dense bit and hop, pJ
SETTINGS = {"theoretical-minimum": (0, 0), "typical": (3, 0.25), "worst-case": (1300, 20.3125)}


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_model_s_settings_are_two_numbers_of_the_chip(setting: str) -> None:
    sparse, stream = SETTINGS[setting]
    changes = (
        f"energy.payload_bit_hop.value={sparse} pJ",
        f"energy.stream_bit_hop.value={stream} pJ",
        PORTS,
    )
    loaded = workload(
        chain((2,), (dense([[3], [5]], 8),)),
        raster([[[1, 1], [0, 1]]]),
        2,
        placement={"out": [1]},
    )
    result = run(loaded, Chip.load("yan-2024", changes), "snn")
    model = hardware(setting)
    expected = spiking(Operation(2, 0.75, 0.0, 2), model)
    # the closed form chooses the cheaper way; the chip sends events
    paid = float(expected.compute + expected.sparse) + (0.5 - 0.75) * 2 * model.subtract
    assert result.ledger.total == near(paid, rel=1e-9)


def test_a_pair_of_widths_without_a_price_is_named() -> None:
    loaded = workload(chain((2,), (dense([[3], [5]], 8, bits=4),)), raster([[[1, 1]]]), 1)
    with pytest.raises(CheckError) as error:
        run(loaded, Chip.load("yan-2024"), "qnn")
    assert str(error.value) == (
        "chip yan-2024: energy.multiply_accumulate.by_bits: must hold '4x1' (weight bits x "
        "activation bits), "
        "which this run multiplies; it holds 8x1, 8x2, 8x3, 8x4, 8x5, 4x3"
    )


def test_copies_of_a_multicast_packet_share_their_links() -> None:
    """One input to cores 1, 2 and 3 of a row: 1 + 2 + 3 links alone, 3 together; header 2 bits,
    payload 1.
    """
    loaded = workload(
        chain((1,), (dense([[1, 1, 1]], 9),)), raster([[[1]]]), 1, placement={"out": [1, 2, 3]}
    )
    fields = ("packet.destination=2 bit", "energy.header_bit_hop.value=1 pJ")
    alone, shared = (
        run(loaded, Chip.load("yan-2024", (*fields, f"router.multicast={word}")), "snn").ledger
        for word in ("false", "true")
    )
    for ledger, links in ((alone, 6), (shared, 3)):
        assert ledger.counts["payload_bit_hop"] == links
        assert ledger.counts["header_bit_hop"] == 2 * links
        assert ledger.by_action["payload_bit_hop"] == near(links * 3 * PICO, rel=1e-12)


@pytest.fixture(scope="module")
def digits() -> Workload:
    return Workload.load("digits-mlp")


def test_what_the_quantised_twin_measures_is_what_it_did(digits: Workload) -> None:
    result = run(digits, Chip.load("yan-2024"), "qnn", limit=2)
    for number, layer in enumerate(measure(result)):
        before = result.raster.traces[number]
        assert layer.density == len(before.neuron) / (
            before.n_neurons * 2
        )  # dense layers: every event meets every neuron
        assert layer.visits == 1 and layer.reuse == 1


@pytest.fixture(scope="module")
def relaxed(digits: Workload) -> dict:
    only = ["membrane reads and writes", "partial sums", "multicast", "several neurons per core"]
    ideal, real = Chip.load("yan-2024"), Chip.load("generic-22nm")
    rows = relax(digits, ideal, real, inferences=1, only=only, resolution=0.01)
    return {row.name: row for row in rows}


def test_a_relaxation_adds_its_counts_times_its_price(digits: Workload, relaxed: dict) -> None:
    real, gathered = Chip.load("generic-22nm").energy, replace(digits, firing="accumulate")
    result = run(gathered, Chip.load("yan-2024"), "snn", limit=1)
    membrane = result.count("neuron_updates") * (
        real.membrane_read.value + real.membrane_write.value
    )
    sums = (result.count("accumulates") + result.count("macs")) * real.accumulator.value
    assert relaxed[BASE].snn == near(result.ledger.total, rel=1e-9)
    assert relaxed["membrane reads and writes"].snn_residual == near(membrane, rel=1e-6)
    assert relaxed["partial sums"].snn_residual == near(sums, rel=1e-6)


def test_sharing_only_saves(relaxed: dict) -> None:
    for name in ("multicast", "several neurons per core"):
        assert relaxed[name].snn_residual < 0 and relaxed[name].qnn_residual < 0


def test_every_relaxation_is_a_change_the_chip_accepts() -> None:
    ideal = Chip.load("yan-2024")
    for one in relaxations(ideal, Chip.load("generic-22nm")):
        changed = ideal.changed(one.chip)
        assert (changed != ideal) == bool(one.chip), one.name


def test_the_command_prints_three_ways_and_writes_them(tmp_path) -> None:
    from simulator.commands.validate import validate

    arguments = ["digits-mlp", "--limit", "1", "--terms-only", "-o", str(tmp_path)]
    out = CliRunner().invoke(validate, arguments, catch_exceptions=False)
    assert out.exit_code == 0, out.output
    assert "16 of 16 terms agree with the formula to 1e-9" in out.output
    written = json.loads((tmp_path / "summary.json").read_text())
    assert (16, 16) == tuple(written["terms"]["snn"][key] for key in ("terms", "agreeing"))
    rows = list(csv.DictReader((tmp_path / "terms.csv").read_text().splitlines()))
    assert {row["term"] for row in rows if row["twin"] == "snn"} > {
        "accumulate",
        "compare",
        "transfer",
    }


def test_a_chip_that_is_not_the_model_s_gets_its_terms_and_their_causes() -> None:
    from simulator.commands.validate import validate

    out = CliRunner().invoke(
        validate, ["digits-mlp", "--chip", "generic-22nm", "--limit", "1"], catch_exceptions=False
    )
    assert out.exit_code == 0, out.output
    assert "generic-22nm is no idealised machine" in out.output
    for cause in (
        "accumulators are read and written",
        "neurons of a core share a packet",
        "not in the formula",
    ):
        assert cause in out.output


def test_formula_terms_are_actions_of_the_ledger(digits: Workload) -> None:
    result = run(digits, Chip.load("generic-22nm"), "snn", limit=1)
    assert total(terms(result)).ledger == near(result.ledger.total, rel=1e-12)
    assert len(set(ACTIONS)) == len(ACTIONS)
    assert all(
        value >= 0
        for layer in measure(result)
        for value in formula("snn", layer, result.chip).values()
    )
