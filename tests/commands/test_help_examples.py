"""Every example of every --help is a command line that can be typed as it stands."""

import importlib
import re
import shlex

import click
import pytest

from simulator import Chip
from simulator.commands.crossover import sweeps
from simulator.commands.verbs import VERBS, function_name

#: verbs whose help needs no example: their arguments say it all
PLAIN = {"analytic", "workloads", "schema"}
_LINE = re.compile(r"^(?:\x08 )?(spikemesh .*)$", re.MULTILINE)


def command(verb: str) -> click.Command:
    module = importlib.import_module(f"simulator.commands.{VERBS[verb][0]}")
    return getattr(module, function_name(verb))


def examples(text: str) -> list[str]:
    """Return the command lines of a docstring."""
    return [line.strip() for line in _LINE.findall(re.sub(r"(?m)^ +", "", text))]


EXAMPLES = [
    pytest.param(verb, line, id=line)
    for verb in VERBS
    for line in examples(command(verb).help or "")
]


@pytest.mark.parametrize("verb", sorted(set(VERBS) - PLAIN))
def test_a_verb_has_an_example(verb: str) -> None:
    assert examples(command(verb).help or "")


@pytest.mark.parametrize(("verb", "line"), EXAMPLES)
def test_an_example_is_parsed(verb: str, line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    assert name == verb
    given = command(verb).make_context(verb, arguments).params
    for swept in sweeps(given["chip_set"]) if "chip_set" in given else ():
        Chip.load(given["chip"], tuple(f"{key}={value}" for key, value in swept.items()))
    mine = tuple(text for text in given.get("setting") or () if not text.startswith("workload."))
    if verb != "analytic" and mine:
        for chip in given.get("names") or [given["chip"]]:
            Chip.load(chip, mine)


def test_an_example_that_ran_into_the_next_one_is_refused() -> None:
    (line,) = examples(
        "\b spikemesh crossover digits-mlp --timesteps 2,4 spikemesh crossover\n  x\n"
    )
    with pytest.raises(click.UsageError):
        command("crossover").make_context("crossover", shlex.split(line)[2:])
