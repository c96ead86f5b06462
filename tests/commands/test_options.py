"""Every option of every command: a number is finite and within a stated range, whatever is
typed.
"""

import importlib
import math
import re
from fractions import Fraction

import click
import pytest

from simulator.commands.numbers import Number, Written
from simulator.commands.verbs import VERBS, cli, function_name
from simulator.errors import InputError

#: options whose value is a name, a list of settings, a file's name, or a size that `read_size` of
#: the library checks (tests/test_memory.py)
WORDS = {
    "--chip", "--chip-set", "--configuration", "--corner", "--energy", "--memory", "--prices",
    "--routing", "--set", "--setting", "--traffic", "--version", "--tick", "--dask",
}  # fmt: skip
HOSTILE = [
    "", " ", "nan", "NaN", "inf", "-inf", "Infinity", "-1", "-0.0", "0", "1e300", "1e-300", "1e999",
    "9" * 30, "9" * 400, "-" + "9" * 19, "1_000", "0x10", "1e1000000000", "٣", "1,", ",", "1;2",
    "1/0", "1x1x1", "1 GHz", "1e99GHz", "nan GHz", "-1 mm", "None", "true", "1" + ",1" * 2000,
]  # fmt: skip


def commands() -> list[tuple[str, click.Command]]:
    found = [
        (
            verb,
            getattr(importlib.import_module(f"simulator.commands.{module}"), function_name(verb)),
        )
        for verb, (module, _) in VERBS.items()
    ]
    return [*found, ("bench", importlib.import_module("benchmarks.command").bench)]


OPTIONS = [
    pytest.param(option, id=f"{verb} {option.opts[-1]}")
    for verb, command in commands()
    for option in command.params
    if isinstance(option, click.Option) and not option.is_flag
]


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_a_number_with_a_range_a_choice_a_path_or_a_word(option: click.Option) -> None:
    is_known = isinstance(option.type, (Number, click.Choice, click.Path))
    assert is_known or (option.type is click.STRING and option.opts[0] in WORDS)


def numbers(value: object) -> list[float]:
    """Return every number in what an option was read as."""
    if isinstance(value, Written):
        return [float(value.exact)]
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in numbers(part)]
    return [float(value)] if isinstance(value, (int, float, Fraction)) else []


@pytest.mark.parametrize(
    "option", [parameter for parameter in OPTIONS if isinstance(parameter.values[0].type, Number)]
)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_number_is_refused_in_one_line_or_finite(option: click.Option, text: str) -> None:
    context = click.Context(click.Command("test"))
    try:
        value = option.type_cast_value(context, text)
    except InputError as error:
        name = max(option.opts, key=len)
        assert str(error).startswith(f"{name}: must be ") and ", not " in str(error)
        assert "\n" not in str(error) and len(str(error)) < 300
        return
    found = numbers(value)
    assert found and all(math.isfinite(number) for number in found)
    assert all(-1e31 < number < 1e31 for number in found)
    if isinstance(getattr(option.type, "least", None), (int, float)):
        assert option.type.least <= min(found) and max(found) <= option.type.most


# a text, where, what is said
WORDED = [
    ("crossover", "--resolution", "nan", "must be a number from 1e-06 to 0.1, not 'nan'"),
    ("run", "--timesteps", "1e300", "must be a whole number from 1 to 4096, not '1e300'"),
    ("noc", "--packet-size", "1000000000", "must be a whole number from 1 to 1000000, not '10000"),
    ("noc", "--cycles", "1000000000000", "must be a whole number from 1 to 1000000000, not '1000"),
    ("noc", "--rate", "0.1,1e-300", "must be a number from 1e-09 to 1e+06, or several separated"),
    ("noc", "--mesh", "4", "must be two whole numbers from 1 to 1024 such as 8x8, not '4'"),
    ("always-on", "--frame-rate", "-1 Hz", "must be more than 0 Hz, not '-1 Hz'"),
]


@pytest.mark.parametrize(("verb", "name", "text", "words"), WORDED)
def test_refusals_word_for_word(verb: str, name: str, text: str, words: str) -> None:
    command = dict(commands())[verb]
    (option,) = [parameter for parameter in command.params if name in parameter.opts]
    with pytest.raises(InputError) as error:
        option.type_cast_value(click.Context(command), text)
    assert str(error.value).startswith(f"{name}: {words}")


@pytest.mark.parametrize("verb", [["crossover"], ["validate", "--density", "0.2"]])
def test_a_drawn_network_has_no_key_to_set(verb: list[str], monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", *verb])
    said = (
        "--set workload.twin.timesteps=9: must be a key of the chip for mlp-8-4, which has no "
        "file, not of the workload"
    )
    with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
        cli.main([*verb, "mlp-8-4", "--set", "workload.twin.timesteps=9"], standalone_mode=False)
