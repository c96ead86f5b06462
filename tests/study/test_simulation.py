"""Laws of a whole run, on real input: what was computed is what was moved, and everything adds
up.
"""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator import Chip, Workload, run, twin
from simulator.account.terms import ACTIONS, COMPONENT
from simulator.describe.network import fed
from simulator.errors import InputError
from simulator.report.files import manifest, write_run, write_twin
from simulator.study.simulation import Result
from simulator.timing.record import COUNTER

# workload, mode, changes of the chip
RUNS = [
    ("digits-mlp", "snn", ()),
    ("digits-mlp", "qnn", ()),
    ("digits-mlp", "qnn", ("packet.activations=dense",)),
    ("digits-mlp", "snn", ("router.multicast=true",)),
    ("digits-mlp", "snn", ("core.soma.update=touched", "router.pipeline=canonical")),
    ("digits-cnn", "snn", ("packet.spikes=bitmap",)),
    (
        "digits-cnn",
        "qnn",
        ("packet.events_per_packet=3", "gating.off_after=40 cycles", "gating.retention=[state]"),
    ),
]


@pytest.fixture(
    scope="module", params=RUNS, ids=lambda case: "-".join([case[0], case[1], *case[2]])
)
def result(request) -> Result:
    workload, mode, changes = request.param
    return run(workload, Chip.load("generic-22nm", changes), mode, timesteps=4, limit=2)


def test_synaptic_operations_are_events_times_fan_out(result: Result) -> None:
    operations = sum(
        int(targets.synapses[result.raster.traces[number].neuron].sum())
        for number, targets in enumerate(result.mapping.targets)
    )
    assert result.count("accumulates") + result.count("macs") == operations


def test_current_input_is_multiplied_once_in_both_twins(result: Result) -> None:
    first = int(result.mapping.targets[0].synapses[result.raster.traces[0].neuron].sum())
    assert result.count("macs") == first if result.mode == "snn" else result.count("macs") > first


def test_every_neuron_is_visited_once_per_timestep(result: Result) -> None:
    if result.chip.core.soma.update == "all":
        neurons = sum(one.n_neurons for one in result.workload.network.populations[1:])
        assert result.count("neuron_updates") == neurons * result.raster.timesteps * result.finished


def test_cycles_of_every_unit_and_core_add_up_to_the_run(result: Result) -> None:
    assert (result.record.unit_cycles.sum(axis=2) == result.record.cycles).all()
    assert (result.record.state_cycles.sum(axis=1) == result.record.cycles).all()
    assert (result.record.router_state_cycles.sum(axis=1) == result.record.cycles).all()


def test_flits_in_are_flits_out_and_links_carry_what_was_booked(result: Result) -> None:
    record = result.record
    copies = record.counters[:, COUNTER["flits_received"]].sum()
    assert record.link_flits[:, 4:].sum() == copies
    if not result.chip.router.multicast:
        assert record.counters[:, COUNTER["flits_sent"]].sum() == copies
        assert record.link_flits.sum() == result.count("router_traversals")
    assert record.link_flits[:, :2].sum() == result.count("flit_hops_east_west")
    assert record.link_flits[:, 2:4].sum() == result.count("flit_hops_north_south")


def test_ledger_adds_up_by_action_core_population_and_step(result: Result) -> None:
    ledger = result.ledger
    ledger.check()
    total = ledger.total
    for parts in (
        ledger.by_action.values(),
        ledger.by_component.values(),
        ledger.by_population.flat,
        ledger.by_step.flat,
    ):
        assert sum(parts) == pytest.approx(
            total, rel=1e-9, abs=0
        )  # sums of floats in another order


def test_energy_is_counts_times_the_table(result: Result) -> None:
    for action, count in result.ledger.counts.items():
        constant = getattr(result.chip.energy, action)
        assert result.ledger.by_action[action] == pytest.approx(
            count * constant.value, rel=1e-12, abs=0
        )
    assert set(COMPONENT) == set(ACTIONS)


def test_every_grant_of_the_switch_is_paid_and_every_buffer_written_once(result: Result) -> None:
    counts = result.ledger.counts
    for action in ("buffer_read", "crossbar", "allocation"):
        assert result.record.link_flits.sum() == counts[action]
    assert result.count("router_traversals") == counts["buffer_write"]
    if not result.chip.router.multicast:
        assert counts["buffer_write"] == counts["buffer_read"]


def test_steps_follow_each_other_by_the_barrier(result: Result) -> None:
    record = result.record
    assert (record.step_start[1:] - record.step_quiet[:-1] == result.plan.barrier_cycles).all()
    assert record.cycles == record.step_quiet[-1] + result.plan.barrier_cycles
    assert (record.step_quiet >= record.step_start).all()


def test_latency_runs_from_the_first_step_to_the_last_output(result: Result) -> None:
    steps = result.schedule.steps_per_inference
    assert len(result.latency_cycles) == 2
    last = result.record.step_last_output[steps - 1 :: steps]
    assert (result.latency_cycles == last - result.record.step_start[::steps]).all()


def test_files_hold_the_run_and_nothing_half_written(result: Result, tmp_path) -> None:
    write_run(result, tmp_path / "out", ["spikemesh", "run"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cores.npz", "links.npz", "manifest.json", "populations.npz", "report.html", "steps.npz",
        "summary.json",
    ]  # fmt: skip
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["energy_j"]["total"] == result.ledger.total
    assert sum(summary["stall_cycles"].values()) == result.record.cycles * 3 * result.plan.n_cores
    cores = np.load(tmp_path / "out" / "cores.npz")
    assert np.array_equal(cores["unit_cycles"], result.record.unit_cycles)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert len(manifest["inputs"]) == 3 and all(
        len(entry["sha256"]) == 64 for entry in manifest["inputs"]
    )


def test_a_leak_free_idle_chip_costs_nothing_and_a_leaking_one_its_leakage() -> None:
    silent = np.zeros((1, 64), np.int32)
    from dataclasses import replace

    workload = Workload.load("digits-mlp")
    workload = replace(workload, stimulus=fed("current", silent, 5))
    result = run(workload, Chip.load("generic-22nm"), "snn", limit=1)
    assert result.count("macs") == 0
    chip, cycles = result.chip, result.record.state_cycles[result.plan.works]
    bits = chip.core.memory.synapses + chip.core.memory.neurons + chip.core.memory.axons
    watts = bits * chip.power.memory_leakage.value
    assert result.ledger.by_action["memory_leakage"] == pytest.approx(
        cycles.sum() * chip.period * watts, rel=1e-12, abs=0
    )


def test_the_twin_run_names_winner_and_reason(tmp_path) -> None:
    result = twin("digits-mlp", "generic-22nm", timesteps=4, limit=2)
    write_twin(result, tmp_path)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["verdict"] == result.verdict()
    assert written["agreement"] == 1.0
    ratio = result.snn.ledger.total / result.qnn.ledger.total
    assert written["energy_ratio"] == pytest.approx(ratio, rel=1e-12, abs=0)
    assert (tmp_path / "snn" / "summary.json").is_file() and (
        tmp_path / "qnn" / "summary.json"
    ).is_file()
    winner = "spiking" if ratio < 1 else "quantised"
    assert f"the {winner} twin wins on energy" in result.verdict()


# arguments that are refused, and the words
REFUSED = [
    ({"mode": "ann"}, "mode: must be one of snn, qnn, not 'ann'"),
    ({"mode": "snn", "timesteps": 0}, "timesteps: must be a whole number of at least 1, not 0"),
    ({"mode": "snn", "limit": 0}, "limit: must be a whole number of at least 1, not 0"),
    ({"mode": "snn", "limit": 2.5}, "limit: must be a whole number of at least 1, not 2.5"),
    ({"mode": "snn", "timesteps": "4"}, "timesteps: must be a whole number of at least 1, not '4'"),
    ({"mode": "snn", "timesteps": 10**9}, "timesteps: must be at most 4096, not 1000000000"),
    ({"mode": "snn", "engine": "fast"}, "engine: must be one of compiled, reference, not 'fast'"),
]


REFUSED += [
    ({"mode": 3}, "mode: must be one of snn, qnn, not 3"),
    ({"mode": ["snn"]}, "mode: must be one of snn, qnn, not ['snn']"),
    ({"mode": "snn", "engine": None}, "engine: must be one of compiled, reference, not None"),
    ({"mode": "snn", "draws": -1}, "draws: must be a whole number of at least 0, not -1"),
    ({"mode": "snn", "seed": 0.5}, "seed: must be a whole number of at least 0, not 0.5"),
    ({"mode": "snn", "limit": True}, "limit: must be a whole number of at least 1, not True"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_refused_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(InputError) as error:
        run("digits-mlp", "generic-22nm", **arguments)
    assert str(error.value) == message


def test_resets_and_events_are_those_of_the_raster_however_they_are_packed() -> None:
    for changes in ((), ("packet.spikes=bitmap",), ("packet.events_per_packet=4",)):
        result = run("digits-mlp", Chip.load("generic-22nm", changes), "snn", timesteps=4, limit=2)
        spikes = sum(len(trace.neuron) for trace in result.raster.traces[1:])
        assert result.ledger.counts["reset"] == spikes  # the readout does not fire
        assert (
            result.ledger.counts["event_generation"] == spikes + 2 * 10
        )  # it sends its potentials
    assert run("digits-mlp", mode="qnn", limit=2).ledger.counts["reset"] == 0


def test_the_manifest_holds_the_digest_of_the_chip_file_that_was_read(tmp_path) -> None:
    shipped = Chip.load("generic-22nm")
    copy = tmp_path / "mine.yaml"
    copy.write_text(shipped.file.read_text() + "# a copy that kept its name\n")
    result = run("digits-mlp", Chip.load(copy), "qnn", limit=1)
    entry = manifest(result, [])["inputs"][-1]
    assert entry == {"file": "mine.yaml", "sha256": hashlib.sha256(copy.read_bytes()).hexdigest()}


def test_a_network_without_a_quantised_twin_is_refused_before_anything_is_simulated(
    monkeypatch,
) -> None:
    leaky = {"layers.0.neuron.model": "lif", "layers.0.neuron.decay": 100}
    workload = Workload.load("digits-mlp", leaky)
    monkeypatch.setattr("simulator.study.twin.run", lambda *_, **__: pytest.fail("simulated"))
    with pytest.raises(InputError) as error:
        twin(workload, limit=1)
    assert str(error.value) == (
        "hidden1: the quantised twin needs neurons without leak, model 'if', not 'lif'; "
        "the spiking twin can be run alone, as mode 'snn'"
    )


def test_a_result_survives_pickling() -> None:
    result = run("digits-mlp", mode="qnn", limit=2)
    again = pickle.loads(pickle.dumps(result))
    assert again.summary() == result.summary()
    assert again.executed.digest == result.executed.digest
    with pytest.raises(ValueError, match="read-only"):
        again.plan.link_latency[0] = 7


def test_the_package_names_what_is_public() -> None:
    assert dir(simulator) == sorted(simulator.__all__)
    for name in dir(simulator):
        assert getattr(simulator, name).__name__ == name
    assert (Path(simulator.__file__).parent / "py.typed").is_file()
