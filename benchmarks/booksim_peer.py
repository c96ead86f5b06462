"""The same meshes on BookSim 2, where the user names a binary: same size, pattern, rate, virtual
channels and buffers.

BookSim draws its own packets of that pattern and rate, since it reads no traces.  It simulates as
many cycles as we do, in two periods of the same load; its rate is the flits it carried in both
times the routers on their way, over the processor seconds of the whole program.

How a run ends is read from what it prints (trafficmanager.cpp, main.cpp of BookSim 2): the hops
are printed only where it converged, and its exit code says nothing: it is 255 after a good run
and 0 after an unstable one or a wrong option.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import traffic
from benchmarks.measure import Failed, children_seconds, last_lines

NAME = "BookSim 2"
#: a run's longest life in seconds
PATIENCE = 600.0
#: sample periods: one to warm up, one that is measured
PERIODS = 2
#: the least cycles of a period; a flit crosses 32x32 routers in some 200
LEAST_PERIOD = 500
#: `warmup_periods = 1` ends the warm-up after one period whatever the throughput did in it: with
#: 0, a run is warm when two periods differ by less than 5 %, and never is where there is but one.
#: In throughput mode no latency aborts the run and no change of the rate unsettles it any more,
#: so that it drains, is counted as converged and prints its hops, saturated or not.
CONFIGURATION = """
topology = mesh;
k = {side};
n = 2;
routing_function = dor;
num_vcs = 1;
vc_buf_size = 8;
packet_size = 1;
traffic = {traffic};
injection_rate = {rate};
injection_process = {process};
sim_type = throughput;
warmup_periods = 1;
sample_period = {period};
max_samples = {periods};
sim_count = 1;
latency_thres = -1.0;
acc_stopping_thres = -1.0;
seed = {seed};
print_activity = 0;
"""
#: two of alpha, beta and the rate within a burst may be given; the third follows, here as 1
BURSTS = "on_off;\nburst_alpha = {alpha};\nburst_beta = {beta}"


def configuration(side: int, pattern: str, rate: float, period: int, seed: int) -> str:
    """Return the text of a configuration file."""
    stop = 1 / traffic.BURST
    bursts = BURSTS.format(alpha=stop * rate / (1 - rate), beta=stop)
    return CONFIGURATION.format(
        side=side,
        traffic="transpose" if pattern == "transpose" else "uniform",
        rate=rate,
        process=bursts if pattern == "bursty" else "bernoulli",
        period=period,
        periods=PERIODS,
        seed=seed,
    )


def flit_hops(text: str, side: int, cycles: int) -> float | None:
    """Return accepted flits per node and cycle times nodes, cycles and mean hops from what BookSim
    printed; None where it did not converge.
    """
    number = r"\s*=\s*([0-9.eE+-]+)"
    accepted = re.findall(r"Accepted flit rate average" + number, text)
    hops = re.findall(r"Hops average" + number, text)
    return (
        float(accepted[-1]) * side * side * cycles * float(hops[-1]) if accepted and hops else None
    )


def rate(binary: str, side: int, pattern: str, rate: float, cycles: int, seed: int) -> float:
    """Return the flit-hops per processor second of BookSim; raises Failed, with what it said last,
    where it did not run to its end.
    """
    period = max(LEAST_PERIOD, cycles // PERIODS)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mesh.cfg"
        file.write_text(configuration(side, pattern, rate, period, seed))
        before = children_seconds()
        try:
            done = subprocess.run(
                [str(Path(binary).resolve()), str(file)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise Failed(NAME, f"it was stopped after {PATIENCE:g} s") from None
        except OSError as fault:
            raise Failed(NAME, f"it cannot be run: {fault.strerror}") from None
        seconds = children_seconds() - before
    count = flit_hops(done.stdout, side, PERIODS * period)
    if done.returncode >= 0 and count and seconds:
        return count / seconds
    ended = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
    said = last_lines(f"{done.stdout}\n{done.stderr}", 3)
    raise Failed(NAME, f"{said}\nit ended with {ended}".strip())
