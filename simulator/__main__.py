"""The command line `spikemesh`: ready for Ctrl-C before anything is imported that takes time."""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType

#: objects made and not gone before Python looks for circles among them: what a command imports is a
#: hundred thousand that stay, and to look among those again and again takes 6 % of the first result
PATIENCE = 200_000, 10, 10


def _stop_at_once(number: int, frame: FrameType | None) -> None:
    """End the process in one line: nothing has begun yet."""
    os.write(2, b"stopped\n")
    os._exit(130)


def main() -> None:
    """Run the command line (simulator/commands/verbs.py has its exit codes)."""
    signal.signal(signal.SIGINT, _stop_at_once)
    gc.set_threshold(*PATIENCE)
    from simulator.commands import verbs

    verbs.main()


if __name__ == "__main__":
    main()
