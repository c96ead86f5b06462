"""What tools mean by what they export: everything NIR cannot write and each tool takes for granted.

Found in the tools' own exporters and neurons (docs/importing.md names the versions).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.describe.messages import alternatives, shown_value
from simulator.errors import InputError
from simulator.importers.choices import Choices
from simulator.importers.imported import Stated


@dataclass(frozen=True)
class Habits:
    """How the neurons of one tool run, timestep by timestep.

    dt: seconds of a timestep, None where the tool has none.  reset: 'zero' stands for the reset
    value of the file.  leak: 'euler' or 'exponential'.  input: of a leaky neuron, as the file's r
    says ('file'), or what the decay leaves, 1 − decay ('share').  jump: a synaptic current rises by
    its input as it is.  lower: 'none', or 'threshold': the potential is held above −threshold.
    initial: 'zero', 'reset', 'leak', or 'half' of the threshold.  held: the reset of a recurrent
    neuron, or of one with a synaptic current, swallows the input of the timestep after a spike.
    adds: a neuron without leak adds its input as it is, whatever the timestep.
    """

    name: str
    dt: float | None = None
    reset: str = "zero"
    reset_at: str = "same"
    compare: str = "gt"
    spikes_per_step: str = "one"
    leak: str = "euler"
    input: str = "file"
    jump: bool = False
    lower: str = "none"
    initial: str = "zero"
    held: bool = False
    adds: bool = False


PLAIN = Habits("the NIR specification")
TOOLS: dict[str, Habits] = {
    "nir": PLAIN,
    "snntorch": Habits("snnTorch", dt=1e-4, reset="subtract", reset_at="next", held=True),
    "sinabs": Habits(
        "sinabs",
        dt=1.0,
        reset="subtract",
        compare="ge",
        spikes_per_step="many",
        leak="exponential",
        input="share",
        lower="threshold",
    ),
    "norse": Habits("Norse", dt=1e-3, jump=True, initial="leak", adds=True),
    "spikingjelly": Habits("SpikingJelly", dt=1e-4, compare="ge", initial="reset"),
    "rockpool": Habits("Rockpool", reset="subtract", leak="exponential"),
    "spyx": Habits("Spyx", dt=1e-4, reset="subtract"),
    "lava": Habits("Lava", dt=1e-4),
    "nengo": Habits("Nengo", dt=1e-4, initial="leak"),
}
#: a choice -> the option's words for its values
WORDS = {
    "reset": {"zero": "to the file's value, else zero", "subtract": "by subtraction"},
    "reset_at": {"same": "in the same timestep", "next": "in the next timestep"},
    "compare": {"gt": "above the threshold", "ge": "at the threshold"},
    "spikes_per_step": {"one": "at most one", "many": "as many as thresholds fit"},
    "initial": {
        "zero": "0",
        "reset": "the reset value",
        "leak": "the leak's value",
        "half": "half the threshold",
    },
    "lower": {"none": "none", "threshold": "minus the threshold"},
}
NAMES = {
    "reset": "reset",
    "reset_at": "reset takes effect",
    "compare": "a neuron fires",
    "spikes_per_step": "spikes per timestep",
    "initial": "potential at the start",
    "lower": "lowest potential",
}


@dataclass(frozen=True)
class Numbers:
    """What of a file's neurons tells the tool that wrote it: kinds, and tau and r beside each
    other.
    """

    kinds: frozenset[str]
    tau: np.ndarray  # of leaky neurons
    r_of_tau: np.ndarray
    r_of_if: np.ndarray  # of integrate-and-fire neurons


def settle(file: str, choices: Choices, numbers: Numbers) -> tuple[Habits, list[Stated]]:
    """Return the habits a file is read with, and what is stated of them: what was chosen, else what
    the tool does, else what its numbers tell; raises InputError where dt can be told from nothing.
    """
    if choices.tool is not None and choices.tool not in TOOLS:
        raise InputError(
            f"from: must be {alternatives(tuple(TOOLS))}, not {shown_value(choices.tool)}"
        )
    dt, why, guess = _told(numbers)
    if choices.tool is not None:
        habits, source = TOOLS[choices.tool], f"as {TOOLS[choices.tool].name} does"
    else:
        habits, source = TOOLS[guess], f"as {TOOLS[guess].name} has it"
    stated = [Stated("read as a file of", habits.name, "chosen" if choices.tool else why or "no")]
    if choices.tool is None and guess == "nir":
        stated = [Stated("read as", habits.name, "its numbers are no tool's own")]
    if choices.dt is not None:
        step, because = choices.dt, "chosen"
    elif dt is not None:
        step, because = dt, why
    elif habits.dt is not None:
        step, because = habits.dt, f"as {habits.name} has it"
    elif not len(numbers.tau) and not len(numbers.r_of_if):
        step, because = 1.0, "no neuron depends on it"
    else:
        raise InputError(
            f"dt: must be given in seconds: {file} does not say how long a timestep is, and its "
            f"numbers do not tell"
        )
    stated.append(Stated("a timestep", f"{step:g} s", because))
    changed = {}
    for name, words in WORDS.items():
        chosen = getattr(choices, name)
        value = getattr(habits, name) if chosen is None else chosen
        changed[name] = value
        stated.append(Stated(NAMES[name], words[value], "chosen" if chosen else source))
    return replace(habits, dt=step, **changed), stated


def _agreed(values: np.ndarray) -> float | None:
    """Return what all values are within a part in 10,000, None where they differ."""
    if not len(values):
        return None
    middle = float(np.median(values))
    return middle if np.allclose(values, middle, rtol=1e-4, atol=0) else None


def _is_round(value: float) -> bool:
    """Return whether a number of seconds is 1, 2 or 5 times a power of ten, to a part in 1,000."""
    power = 10 ** np.floor(np.log10(value) + 1e-9)
    return any(abs(value / power / lead - 1) < 1e-3 for lead in (1, 2, 5, 10))


def _told(numbers: Numbers) -> tuple[float | None, str, str]:
    """Return the dt that numbers tell, from what, and the tool whose habit that is."""
    r_if = _agreed(numbers.r_of_if)
    if len(numbers.r_of_tau) and not np.allclose(numbers.r_of_tau, 1):
        ratio = _agreed(numbers.tau / numbers.r_of_tau)
        if ratio is not None and _is_round(ratio):
            return _named(ratio), f"tau / r is {ratio:.4g} s in all neurons", "snntorch"
        shared = _agreed(numbers.tau / (1 + numbers.r_of_tau))
        if shared is not None and _is_round(shared):
            return _named(shared), f"tau / (1 + r) is {shared:.4g} s in all neurons", "rockpool"
        if ratio is not None:
            return ratio, f"tau / r is {ratio:.4g} s in all neurons", "snntorch"
    if r_if is not None and not len(numbers.tau):
        if np.isclose(r_if, 1):
            return 1.0, "neurons without leak have r = 1", "sinabs"
        if r_if > 1 and _is_round(1 / r_if):
            return _named(1 / r_if), f"1 / r is {1 / r_if:.4g} s in all neurons", "spikingjelly"
    return None, "", "nir"


def _named(value: float) -> float:
    """Return a number of seconds without what float32 left on it."""
    return float(f"{value:.3g}")
