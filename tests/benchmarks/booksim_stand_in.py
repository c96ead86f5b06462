"""Reads a configuration and ends as BookSim 2's sources say it does, without simulating anything.

The order of the phases is that of TrafficManager::_SingleSim and Run in trafficmanager.cpp, the
injection's parameters are checked as in injection.cpp, the defaults are booksim_config.cpp's, the
exit code is main.cpp's, and the lines are those that the program prints.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

DEFAULTS = {"warmup_periods": "3", "sample_period": "1000", "max_samples": "10"} | {
    "sim_type": "latency",
    "acc_warmup_thres": "0.05",
    "acc_stopping_thres": "0.05",
    "burst_alpha": "0.5",
    "burst_beta": "0.5",
    "burst_r1": "-1.0",
}
KNOWN = {"topology", "k", "n", "routing_function", "num_vcs", "vc_buf_size", "packet_size"} | {
    "traffic",
    "injection_rate",
    "injection_process",
    "sim_count",
    "latency_thres",
    "seed",
    "print_activity",
}
HOPS = 6.24707


def main() -> int:
    """Run the file named first; STAND_IN names how to fail."""
    text = Path(sys.argv[1]).read_text()
    option = dict(DEFAULTS)
    for line in filter(None, map(str.strip, text.split(";"))):
        name, _, value = line.partition(" = ")
        if name not in KNOWN | DEFAULTS.keys():
            print(f"Parse error: Unknown field '{name}'")
            return 255
        option[name] = value
    print(f"BEGIN Configuration File: mesh.cfg\n{text}END Configuration File: mesh.cfg")
    given = [float(option[name]) >= 0 for name in ("burst_alpha", "burst_beta", "burst_r1")]
    if option["injection_process"] == "on_off" and 2 != sum(given):
        print("Invalid parameters for injection process: on_off")
        return 255
    sys.stdout.flush()
    fate = os.environ.get("STAND_IN", "")
    if fate == "abort":
        sys.stderr.write("booksim: vc.cpp:72: void VC::AddFlit: Assertion `f' failed.\n")
        sys.stderr.flush()
        os.abort()
    if fate == "hang":
        time.sleep(60)
    return 255 if phases(option) else 0


def phases(option: dict[str, str]) -> bool:
    """Warm up, measure and drain; return whether the run converged, as main.cpp passes it on."""
    rate = float(option["injection_rate"])
    state, before, converged, done = "warming up", 0.0, 0, 0
    while done < int(option["max_samples"]) and (state != "running" or converged < 3):
        accepted = rate * (0.8 + 0.2 * min(1, done))  # the network fills in the first period
        print(f"Accepted flit rate average= {accepted:g}")
        change, before = abs(accepted - before) / accepted, accepted
        print(f"throughput change = {change:g}")
        limit = float(option[f"acc_{'warmup' if state == 'warming up' else 'stopping'}_thres"])
        is_steady = limit < 0 or change <= limit
        periods = int(option["warmup_periods"])
        if state == "warming up":
            state = "running" if (done + 1 >= periods if periods > 0 else is_steady) else state
        else:
            converged = converged + 1 if is_steady else 0
        done += 1
    if state != "running":
        print("Too many sample periods needed to converge\nSimulation unstable, ending ...")
        return False
    print("Draining remaining packets ...")
    print(f"Time taken is {done * int(option['sample_period']) + 61} cycles")
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    print(f"Accepted flit rate average = {before:g} (1 samples)")
    print(f"Hops average = {HOPS} (1 samples)\nTotal run time 0.05")
    return True


if __name__ == "__main__":
    sys.exit(main())
