"""Every action's joules, recomputed from the tables a run writes and the chip's YAML alone: nothing
here comes from simulator.account, so an error there has nowhere to hide.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from simulator import Chip, Workload, run
from simulator.report.files import write_run

ROOT = Path(__file__).resolve().parents[2]
UNIT = {
    "J": 1.0, "nJ": 1e-9, "pJ": 1e-12, "fJ": 1e-15,
    "W": 1.0, "mW": 1e-3, "uW": 1e-6, "W/bit": 1.0, "pW/bit": 1e-12,
    "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "bit": 1.0, "KiB": 8192.0,
}  # fmt: skip
MULTICAST = ("multicast: false", "multicast: true")
OFF = ("off_after: never", "off_after: 40 cycles")
LOST = ("retention: [weights, state]", "retention: [state]")
ASLEEP = ("unused: gated", "unused: 'off'")
AWAKE = ("unused: gated", "unused: clocked")
TOKENS = ("\nbarrier:", "\nstep: {synchronisation: tokens}\nbarrier:")
SOURCED = ("\nsources:", '\nsources:\n  step: "assumed: for this test"')
CHEAP_PORT = ("port_flit: {value: 0 pJ", "port_flit: {value: 0.7 pJ")
COUNTS = ("  spikes: events", "  spikes: counts")
REUSED = ("    zero_skip: true", "    zero_skip: true\n    reuse: window\n    counts: multiply")
LANES, BANKS = ("    lanes: 8", "    lanes: 64"), ("    banks: 1", "    banks: 8\n    group: 8")
#: chip and what is changed in the text of its file
CHIPS = {
    "generic-22nm": ("generic-22nm", ()),
    "generic-22nm, multicast": ("generic-22nm", (MULTICAST, CHEAP_PORT)),
    "generic-22nm, off": ("generic-22nm", (OFF, LOST, ASLEEP)),
    "generic-22nm, off and kept": ("generic-22nm", (OFF, AWAKE)),
    "generic-22nm, tokens": ("generic-22nm", (TOKENS, SOURCED)),
    "seneca-like, multicast": ("seneca-like", (MULTICAST,)),
    "yan-2024": ("yan-2024", ()),
    "generic-22nm, counts": ("generic-22nm", (COUNTS, REUSED)),
    "generic-22nm, banks": ("generic-22nm", (LANES, BANKS)),
}


def si(written: object) -> float:
    """Return a number of a chip file in SI units."""
    if isinstance(written, (int, float)):
        return float(written)
    number, unit = str(written).split(" ")
    return float(number) * UNIT[unit]


class Written:
    """The tables of one run, and prices read off the chip's file."""

    def __init__(self, folder: Path, chip: Path) -> None:
        self.chip = yaml.safe_load(chip.read_text())
        self.cores, self.links, self.steps = (
            dict(np.load(folder / f"{name}.npz")) for name in ("cores", "links", "steps")
        )
        self.summary = json.loads((folder / "summary.json").read_text())
        manifest = json.loads((folder / "manifest.json").read_text())
        self.mapping, self.resolved = manifest["mapping"], manifest["chip"]
        used = [slice_["core"] for slice_ in self.mapping]
        self.unused = ~np.isin(self.cores["core"], used)
        self.names = [str(name) for name in self.cores["counter_names"]]

    def price(self, name: str, table: str = "energy") -> float:
        """What the file says; of a component what the run's folder says it came to, which
        tests/describe/test_component_costs.py holds to the tables."""
        entry = self.chip[table][name]
        return si(self.resolved[table][name]["value"] if "component" in entry else entry["value"])

    def places(self, *names: str) -> np.ndarray:
        """A sum of counters of every core."""
        return sum(self.cores["counters"][:, self.names.index(name)] for name in names)

    def times(self, *names: str, of: str = "all") -> np.ndarray:
        """A sum of counters of every step: of all endpoints, the cores or the ports."""
        at_ports = self.steps["port_counters"]
        table = {
            "all": self.steps["counters"],
            "ports": at_ports,
            "cores": self.steps["counters"] - at_ports,
        }[of]
        return sum(table[:, self.names.index(name)] for name in names)

    def macs(self, table: dict) -> np.ndarray:
        """Joules of multiply-accumulates, by their operands' bits where the file prices them."""
        entry = self.chip["energy"]["multiply_accumulate"]
        pairs = [str(pair) for pair in table["operand_names"]]
        by_bits = entry.get("by_bits")
        price = [si((by_bits[pair] if by_bits else entry)["value"]) for pair in pairs]
        return table["operand_macs"] @ np.array(price)

    def seconds(self, table: np.ndarray, names: np.ndarray, *states: str) -> np.ndarray:
        """Time in some power states, by core or step."""
        columns = [[str(name) for name in names].index(state) for state in states]
        return table[:, columns].sum(axis=1) * si(self.chip["period"])


#: actions of every endpoint, of the cores alone, of the ports alone, and the counters they pay
EVERYWHERE = {
    "accumulate": "accumulates", "count_accumulate": "count_accumulates",
    "accumulator": "accumulator_words",
    "weight_read": "weight_read_words", "threshold_test": "threshold_tests", "clamp": "clamps",
    "requantise": "requantisations", "membrane_read": "membrane_reads",
    "membrane_write": "membrane_writes", "state_clear": "state_clears", "reset": "resets",
    "event_generation": "events_generated",
    "injection": "flits_sent", "ejection": "flits_received", "buffer_write": "router_traversals",
    "link_east_west": "flit_hops_east_west", "link_north_south": "flit_hops_north_south",
    "payload_bit_hop": "payload_bit_hops", "header_bit_hop": "header_bit_hops",
    "stream_bit_hop": "stream_bit_hops", "gate_wake": "gate_wakes", "off_wake": "off_wakes",
    "reload": "reload_cycles", "reload_fetch": "reload_cycles",
    "token": "tokens_sent",
    "buffer_read": "router_grants", "crossbar": "router_grants", "allocation": "router_grants",
}  # fmt: skip
AT_CORES = {
    "event": "events_received", "axon_lookup": "packets_sent", "input_queue": "flits_received",
    "output_queue": "flits_sent",
}  # fmt: skip
ON = ("active", "idle", "gated", "waking")
CLOCKED = ("active", "idle", "waking")


def by_core(written: Written) -> dict[str, np.ndarray]:
    """Joules of every core by action; what belongs to no core is left out."""
    found = {
        action: written.places(counter) * written.price(action)
        for action, counter in (EVERYWHERE | AT_CORES).items()
    }
    found["multiply_accumulate"] = written.macs(written.cores)
    cycles, rests = written.cores["state_cycles"], written.unused[:, None]
    return found | of_all(written, cycles * ~rests, cycles * rests, written.cores["state_names"])


def of_cores(written: Written, table: np.ndarray, names: np.ndarray) -> dict[str, np.ndarray]:
    """Joules of cores' leakage and clocks from cycles in power states."""
    memory = written.chip["core"]["memory"]
    sizes = {name: si(memory[name]) for name in ("synapses", "neurons", "axons")}
    survives = written.chip["gating"]["retention"]
    kept = sizes["neurons"] * ("state" in survives)
    kept += (sizes["synapses"] + sizes["axons"]) * ("weights" in survives)
    bits = sum(sizes.values())
    on = written.seconds(table, names, *ON)
    off = written.seconds(table, names, "off")
    lost_share, kept_share = (
        written.price(name, "power") for name in ("off_share", "retention_share")
    )
    leaking = on * bits + off * ((bits - kept) * lost_share + kept * kept_share)
    period = si(written.chip["period"])
    active = written.seconds(table, names, "active") / period
    idle = written.seconds(table, names, "idle", "waking") / period
    return {
        "core_leakage": (on + off * lost_share) * written.price("core_leakage", "power"),
        "memory_leakage": leaking * written.price("memory_leakage", "power"),
        "core_clock_active": active * written.price("core_clock_active", "power"),
        "core_clock_idle": idle * written.price("core_clock_idle", "power"),
    }


def of_all(written: Written, used: np.ndarray, unused: np.ndarray, names: np.ndarray) -> dict:
    """Joules of cores that hold something by action, and of those that hold nothing as two."""
    rest = of_cores(written, unused, names)
    return of_cores(written, used, names) | {
        "unused_leakage": rest["core_leakage"] + rest["memory_leakage"],
        "unused_clock": rest["core_clock_active"] + rest["core_clock_idle"],
    }


def by_step(written: Written) -> dict[str, np.ndarray]:
    """Joules of every step by action."""
    steps, period = written.steps, si(written.chip["period"])
    found = {
        action: written.times(counter) * written.price(action)
        for action, counter in EVERYWHERE.items()
    }
    for action, counter in AT_CORES.items():
        found[action] = written.times(counter, of="cores") * written.price(action)
    at_ports = written.times("flits_sent", "flits_received", of="ports")
    found["port_flit"] = at_ports * written.price("port_flit")
    found["multiply_accumulate"] = written.macs(steps)
    per_tile = int(written.chip["mesh"]["cores_per_tile"])
    tiles = len({slice_["core"] // per_tile for slice_ in written.mapping})
    tokens = written.chip.get("step", {}).get("synchronisation") == "tokens"
    each = 0 if tokens else tiles * written.price("barrier")
    found["barrier"] = np.full(len(steps["start"]), float(each))
    found["router_wake"] = steps["router_wakes"] * written.price("router_wake")
    names, routers = steps["state_names"], steps["router_state_cycles"]
    # a core that holds nothing is in the same state in every cycle
    total = routers.sum(axis=1) // len(written.links["router_x"])
    unused = written.chip["gating"]["unused"]
    state = "idle" if unused == "clocked" else unused
    rests = np.outer(total * written.unused.sum(), np.array([str(name) == state for name in names]))
    found |= of_all(written, steps["state_cycles"] - rests, rests, names)
    on = written.seconds(routers, names, *CLOCKED)
    gated = written.seconds(routers, names, "gated") * written.price("router_gated_share", "power")
    found["router_leakage"] = (on + gated) * written.price("router_leakage", "power")
    found["router_clock"] = on / period * written.price("router_clock", "power")
    # every router is in one state in each cycle, so their cycles are those of the step
    cycles = routers.sum(axis=1) / len(written.links["router_x"])
    found["chip_static"] = cycles * period * written.price("chip_static", "power")
    return found


def differing(written: Written) -> set[str]:
    """Return the actions whose written joules, in total, by core or by step, are others."""
    total = written.summary["energy_j"]["by_action"]
    actions = [str(name) for name in written.steps["action_names"]]
    assert set(actions) == set(total)
    steps, cores = by_step(written), by_core(written)
    wrong = set(actions) ^ set(steps)
    for column, action in enumerate(actions):
        pairs = [
            (steps[action].sum(), total[action]),
            (steps[action], written.steps["energy_j"][:, column]),
        ]
        if action in cores:
            pairs.append((cores[action], written.cores["energy_j"][:, column]))
        for expected, found in pairs:
            # floating-point sums in another order: 1e-9, as docs/results.md states
            if not np.allclose(expected, found, rtol=1e-9, atol=1e-30):
                wrong.add(action)
    # the grants the links counted themselves
    grants = int(written.links["flits"].sum())
    for action in ("buffer_read", "crossbar", "allocation"):
        if not np.isclose(total[action], grants * written.price(action), rtol=1e-9, atol=1e-30):
            wrong.add(action)
    return wrong


def changed(name: str, folder: Path) -> Path:
    """Return a copy of a chip's file with its text changed."""
    chip, changes = CHIPS[name]
    text = (ROOT / "chips" / f"{chip}.yaml").read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / f"{chip}.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("mode", ["snn", "qnn"])
@pytest.mark.parametrize("name", CHIPS)
def test_the_ledger_is_the_written_counts_times_the_written_prices(name, mode, tmp_path):
    chip = changed(name, tmp_path)
    firing = "accumulate" if name.endswith("counts") else "streaming"
    workload = Workload.load("digits-mlp", {"twin.firing": firing})
    write_run(run(workload, Chip.load(chip), mode, timesteps=4, limit=2), tmp_path / "out", [])
    written = Written(tmp_path / "out", chip)
    assert set() == differing(written)
    if name.endswith("kept"):
        assert written.times("off_wakes").sum() > 0 == written.times("reload_cycles").sum()
    if name.endswith("off"):
        assert written.times("off_wakes").sum() > 0 and written.times("reload_cycles").sum() > 0
    if name.endswith("counts") and mode == "snn":
        assert written.times("count_accumulates").sum() > 0
    if name.endswith("banks"):  # the waiting that counters, units and summary tell of is one
        states = [str(state) for state in written.cores["unit_state_names"]]
        waited = written.cores["unit_cycles"][:, :, states.index("bank conflict")].sum(axis=1)
        cores = written.places("bank_conflicts")[: len(waited)]
        assert waited.tolist() == cores.tolist() and waited.sum() > 0
        stalls, counted = written.summary["stall_cycles"], written.summary["counters"]
        assert stalls["bank conflict"] == counted["bank_conflicts"] == waited.sum()
        assert waited.sum() == written.times("bank_conflicts").sum()
    if name.endswith("multicast"):
        grants = written.times("router_grants").sum()
        assert grants > written.times("router_traversals").sum()
        assert written.times("flits_received").sum() > written.times("flits_sent").sum()


def doubled(patch: pytest.MonkeyPatch, energy) -> None:
    """Pay each flit's buffer read twice."""
    patch.setitem(energy._EVERYWHERE, "buffer_read", ("router_grants", "router_grants"))


def free_crossbar(patch: pytest.MonkeyPatch, energy) -> None:
    """Pay nothing for the crossbar."""
    patch.setitem(energy._EVERYWHERE, "crossbar", ())


def by_router(patch: pytest.MonkeyPatch, energy) -> None:
    """Pay the crossbar per router instead of per branch."""
    patch.setitem(energy._EVERYWHERE, "crossbar", ("router_traversals",))


def queues_of_ports(patch: pytest.MonkeyPatch, energy) -> None:
    """Charge ports for input queues they do not have."""
    patch.setitem(energy._EVERYWHERE, "input_queue", energy._AT_CORES["input_queue"])
    patch.delitem(energy._AT_CORES, "input_queue")


def barrier_everywhere(patch: pytest.MonkeyPatch, energy) -> None:
    """Charge the barrier to tiles that hold nothing."""
    patch.setattr(energy, "tiles_in_use", lambda chip, mapping: range(chip.n_tiles))


def nothing_written(patch: pytest.MonkeyPatch, energy) -> None:
    """Write no membrane."""
    patch.setitem(energy._EVERYWHERE, "membrane_write", ())


def injected_as_received(patch: pytest.MonkeyPatch, energy) -> None:
    """Count injections from what was received."""
    patch.setitem(energy._EVERYWHERE, "injection", ("flits_received",))


# one-line error of the ledger, chip and twin that must show it, the action it spoils
MUTANTS: list[tuple[Callable, str, str, str]] = [
    (doubled, "generic-22nm", "snn", "buffer_read"),
    (free_crossbar, "generic-22nm", "qnn", "crossbar"),
    (by_router, "generic-22nm, multicast", "snn", "crossbar"),
    (queues_of_ports, "generic-22nm", "snn", "input_queue"),
    (barrier_everywhere, "generic-22nm", "qnn", "barrier"),
    (nothing_written, "generic-22nm", "qnn", "membrane_write"),
    (injected_as_received, "generic-22nm, multicast", "snn", "injection"),
]


@pytest.mark.parametrize(("mutate", "name", "mode", "action"), MUTANTS)
def test_an_error_of_one_line_in_the_ledger_is_noticed(
    mutate, name, mode, action, tmp_path, monkeypatch
):
    from simulator.account import energy

    chip = changed(name, tmp_path)
    mutate(monkeypatch, energy)
    result = run("digits-mlp", Chip.load(chip), mode, timesteps=4, limit=1)
    write_run(result, tmp_path / "out", [])
    assert {action} == differing(Written(tmp_path / "out", chip))
