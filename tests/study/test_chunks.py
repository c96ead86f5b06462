"""Runs in chunks: the same bytes for any number of processes, each chunk a run by itself [S20]."""

import filecmp
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from simulator import Chip, Workload, scratch
from simulator.errors import InputError, SpikemeshError
from simulator.report.files import tables, write_run
from simulator.study import chunks
from simulator.study.simulation import run
from simulator.study.twin import twin
from simulator.timing.record import first_divergence

LIMIT, CHUNK = 7, 3


@pytest.fixture(scope="module")
def digits() -> Workload:
    return Workload.load("digits-mlp")


@pytest.fixture(scope="module")
def one_by_one(digits):
    return run(digits, limit=LIMIT, chunk=CHUNK, events=True)


def same(a, b) -> bool:
    """Return whether two results leave the same files."""
    mine, other = tables(a), tables(b)
    assert json.dumps(a.summary()) == json.dumps(b.summary())
    return all(
        np.array_equal(mine[file][name], other[file][name]) for file in mine for name in mine[file]
    )


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_jobs_changes_nothing(digits, one_by_one, jobs) -> None:
    there = run(digits, limit=LIMIT, chunk=CHUNK, events=True, jobs=jobs)
    assert first_divergence(one_by_one.record, there.record) is None
    assert same(one_by_one, there) and one_by_one.executed.digest == there.executed.digest


def test_each_chunk_is_a_run_by_itself(digits, one_by_one) -> None:
    at, steps = 0, one_by_one.schedule.steps_per_inference
    for first in range(0, LIMIT, CHUNK):
        chosen = np.arange(first, min(LIMIT, first + CHUNK))
        alone = run(replace(digits, stimulus=digits.stimulus.chosen(chosen)))
        rows = slice(first * steps, first * steps + len(alone.record.step_start))
        record = one_by_one.record
        assert np.array_equal(alone.record.step_start + at, record.step_start[rows])
        assert np.array_equal(alone.record.step_counters, record.step_counters[rows])
        assert np.array_equal(alone.latency_cycles, one_by_one.latency_cycles[chosen])
        at += alone.record.cycles
    assert at == one_by_one.record.cycles


def test_what_is_computed_does_not_depend_on_chunks(digits, one_by_one) -> None:
    whole = run(digits, limit=LIMIT)
    for name in ("outputs", "predictions"):
        assert np.array_equal(getattr(whole.raster, name), getattr(one_by_one.raster, name))
    for name in ("accuracy", "overflows", "currents", "spike_rate", "bits", "n_inferences"):
        assert getattr(whole.raster, name) == getattr(one_by_one.raster, name), name
    for name in ("accumulates", "spikes", "packets_sent", "flits_sent", "weight_read_words"):
        assert whole.count(name) == one_by_one.count(name), name
    mine, other = whole.summary(), one_by_one.summary()
    for key in ("inferences", "accuracy", "cores_used", "complete", "neurobench"):
        assert mine[key] == other[key], key


def test_a_single_chunk_is_a_run_as_any_other(digits) -> None:
    whole, one = run(digits, limit=LIMIT), run(digits, limit=LIMIT, chunk=LIMIT, jobs=2)
    assert same(whole, one)


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_twins_are_compared_chunk_by_chunk(digits, jobs) -> None:
    whole, cut = twin(digits, limit=LIMIT), twin(digits, limit=LIMIT, chunk=CHUNK, jobs=jobs)
    mine, other = whole.summary(), cut.summary()
    for key in ("spike_counts_against_activations", "agreement", "accuracy", "inferences"):
        assert mine[key] == other[key], key
    assert (LIMIT, LIMIT) == (cut.snn.finished, cut.qnn.finished)


# workload, timesteps, asked; inferences of a chunk
SIZES = [
    ("digits-mlp", 4, None, 500),  # 266 neurons: the most there is
    ("digits-mlp", 4, 7, 7),
    ("digits-residual", 4096, None, 1),  # 2122 · 4096 are more than 2²³
    ("digits-residual", 16, None, 247),  # 2²³ / (2122 · 16)
]


@pytest.mark.parametrize("name, timesteps, asked, expected", SIZES)
def test_the_size_of_a_chunk_follows_from_the_workload(name, timesteps, asked, expected) -> None:
    assert expected == chunks.size_of(Workload.load(name), timesteps, asked)


@pytest.mark.parametrize(
    "how, text",
    [
        ({"chunk": 0}, "chunk: must be a whole number of at least 1, not 0"),
        ({"chunk": 2.5}, "chunk: must be a whole number of at least 1, not 2.5"),
        ({"jobs": 0}, "jobs: must be a whole number of at least 1, not 0"),
    ],
)
def test_what_is_refused(digits, how, text) -> None:
    with pytest.raises(InputError, match=f"^{text}$"):
        run(digits, limit=LIMIT, **how)


def test_a_chunk_is_refused_in_the_same_words_in_any_process(digits) -> None:
    chip = Chip.load("generic-22nm", ("core.synapse.accumulator=4 bit",))
    said = []
    for jobs in (1, 2):
        with pytest.raises(SpikemeshError) as error:
            run(digits, chip, limit=LIMIT, chunk=CHUNK, jobs=jobs)
        said.append((str(error.value), error.value.exit_code))
    assert said[0] == said[1] and "accumulator" in said[0][0]


def test_a_stopped_run_keeps_the_chunks_that_were_done(digits, one_by_one) -> None:
    def stop(what: str, done: int, total: int) -> None:
        assert (what, total) == ("snn inferences", LIMIT)
        if done == LIMIT:
            raise KeyboardInterrupt

    how = {"limit": LIMIT, "chunk": CHUNK, "progress": stop}
    stopped = run(digits, partial=True, **how)
    assert not stopped.is_complete and stopped.finished == 2 * CHUNK
    rows = len(stopped.record.step_start)
    assert np.array_equal(one_by_one.record.step_start[:rows], stopped.record.step_start)
    for jobs in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(digits, jobs=jobs, **how)


def test_results_in_files_are_those_in_memory(digits, one_by_one, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(scratch, "MOST_IN_MEMORY", 0)
    there = run(digits, limit=LIMIT, chunk=CHUNK, events=True)
    assert first_divergence(one_by_one.record, there.record) is None
    assert same(one_by_one, there) and one_by_one.executed.digest == there.executed.digest
    for mine, other in zip(one_by_one.raster.traces, there.raster.traces):
        assert np.array_equal(mine.start, other.start)
    for name, result in (("memory", one_by_one), ("files", there)):
        write_run(result, tmp_path / name, [])
    files = sorted(path.name for path in (tmp_path / "memory").iterdir())
    assert ([], []) == filecmp.cmpfiles(tmp_path / "memory", tmp_path / "files", files, False)[1:]


#: prints the most memory this process had when it had run so many inferences and written them, kB
PEAK = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from simulator import Workload, run
from simulator.report.files import write_run
inferences, chunk, jobs, folder = (*map(int, sys.argv[1:4]), sys.argv[4])
digits = Workload.load("digits-mlp")
again = np.arange(inferences) % digits.stimulus.n_inferences
digits = replace(digits, stimulus=digits.stimulus.chosen(again))
write_run(run(digits, chunk=chunk, jobs=jobs), folder, [])
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ten_thousand_inferences_take_no_more_memory_than_two_chunks(jobs, tmp_path) -> None:
    def peak(inferences: int, chunk: int) -> int:
        asked = [str(each) for each in (inferences, chunk, jobs, tmp_path / str(inferences))]
        found = subprocess.run(
            [sys.executable, "-c", PEAK, *asked], capture_output=True, text=True, timeout=600
        )
        assert not found.returncode, found.stderr
        return int(found.stdout)

    peak(4, 2)  # compiles
    # a chunk's own peak varies by some per cent: its spikes, and where freed memory is used again
    assert peak(10_000, 500) < 1.1 * peak(1_000, 500)


#: all shipped workloads that can be cut and what they need of the default chip: the state of
#: keyword-stream is carried from inference to inference, and recurrent-million has but one
CUT = {
    "digits-mlp": (),
    "digits-cnn": (),
    "digits-recurrent": (),
    "digits-residual": (),
    "fanout": (),
    "shd-like": (),
    "vgg16-cifar": ("mesh.width=32", "mesh.height=32"),
}


ENGINES = [
    (name, mode, engine)
    for name in CUT
    for mode in ("snn", "qnn")
    for engine in ("compiled", "reference")
    if (mode == "snn" or name not in ("digits-recurrent", "shd-like"))  # they have no such twin
    and (engine == "compiled" or name != "vgg16-cifar")  # minutes of the specification
]


@pytest.mark.slow
@pytest.mark.parametrize("name, mode, engine", ENGINES)
def test_on_every_workload_the_number_of_jobs_changes_nothing(name, mode, engine) -> None:
    workload, chip = Workload.load(name), Chip.load("generic-22nm", CUT[name])
    how = {"limit": min(3, workload.stimulus.n_inferences), "chunk": 1, "engine": engine}
    if engine == "reference":
        how["timesteps"] = 1
    alone = run(workload, chip, mode, jobs=1, **how)
    for jobs in (2, 3):
        assert same(alone, run(workload, chip, mode, jobs=jobs, **how)), jobs


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_jobs_changes_nothing_in_the_reference_engine(digits, jobs) -> None:
    how = {"limit": 3, "chunk": 1, "timesteps": 1, "engine": "reference"}
    assert same(run(digits, jobs=1, **how), run(digits, jobs=jobs, **how))
