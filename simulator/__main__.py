"""The command line `spikemesh`: ready for Ctrl-C before anything is imported that takes time."""

from __future__ import annotations

import os
import signal
from types import FrameType


def _stop_at_once(number: int, frame: FrameType | None) -> None:
    """End the process in one line: nothing has begun yet."""
    os.write(2, b"stopped\n")
    os._exit(130)


def main() -> None:
    """Run the command line (simulator/commands/verbs.py has its exit codes)."""
    signal.signal(signal.SIGINT, _stop_at_once)
    from simulator.commands import verbs

    verbs.main()


if __name__ == "__main__":
    main()
