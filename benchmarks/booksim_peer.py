"""The same meshes on BookSim 2, where the user names a binary: same size, pattern, rate, virtual
channels and buffers.

BookSim draws its own packets of that pattern and rate, since it reads no traces; its rate is flits
times routers on their way over the time it says it ran.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import traffic
from benchmarks.figures import Peer
from benchmarks.measure import children_seconds

NAME = "BookSim 2"
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
warmup_periods = 0;
sample_period = {cycles};
max_samples = 1;
seed = {seed};
print_activity = 0;
"""


def configuration(side: int, pattern: str, rate: float, cycles: int, seed: int) -> str:
    """Return the text of a configuration file."""
    process = "bernoulli"
    if pattern == "bursty":
        stop = 1 / traffic.BURST
        process = (
            f"on_off;\nburst_alpha = {stop * rate / (1 - rate)};\nburst_beta = {stop};\nburst_r1 "
            f"= 1.0"
        )
    name = "transpose" if pattern == "transpose" else "uniform"
    return CONFIGURATION.format(
        side=side, traffic=name, rate=rate, process=process, cycles=cycles, seed=seed
    )


def flit_hops(text: str, side: int, cycles: int) -> float | None:
    """Return accepted flits per node and cycle times nodes, cycles and mean hops from what BookSim
    printed.
    """
    number = r"\s*=\s*([0-9.eE+-]+)"
    accepted = re.findall(r"Accepted flit rate average" + number, text)
    hops = re.findall(r"Hops average" + number, text)
    return (
        float(accepted[-1]) * side * side * cycles * float(hops[-1]) if accepted and hops else None
    )


def race(
    binary: str, side: int, pattern: str, rate: float, is_quick: bool, seed: int
) -> Peer | None:
    """Return the flit-hops per processor second of BookSim, or None where it did not run to its
    end.
    """
    cycles = 1000 if is_quick else 20_000
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mesh.cfg"
        file.write_text(configuration(side, pattern, rate, cycles, seed))
        before = children_seconds()
        done = subprocess.run([binary, str(file)], capture_output=True, text=True, timeout=600)
        seconds = children_seconds() - before
    count = flit_hops(done.stdout, side, cycles)
    return Peer(NAME, count / seconds) if count and seconds else None
