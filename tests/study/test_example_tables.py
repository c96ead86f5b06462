"""The tables that examples print: a row per network, ratios that follow from its numbers."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def loaded(name: str):
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|\n ").split(" | ")]


@pytest.mark.parametrize("way", ["latency", "overlap"])
def test_the_mean_of_one_network_is_its_own_ratio(way, capsys, monkeypatch) -> None:
    tokens = loaded("tokens")
    monkeypatch.setattr(tokens, "NETWORKS", ("digits-mlp",))
    tokens.main("2", way)
    *_, network, mean = capsys.readouterr().out.splitlines()
    assert "digits-mlp" == cells(network)[0] and "mean" == cells(mean)[0]
    assert cells(network)[5:] == cells(mean)[5:]
    barrier, by_tokens = (
        tokens.measured("digits-mlp", changes, 2, way == "overlap")
        for changes in ((), tokens.TOKENS)
    )
    ratios = [old / new for old, new in zip(barrier, by_tokens)]
    assert "{:.2f}, {:.2f}".format(*ratios) == cells(network)[5]


def test_both_twins_of_a_network_are_sent_in_every_way(capsys) -> None:
    encodings = loaded("encodings")
    encodings.main("fanout", "digits-recurrent")
    _, _, *rows = map(cells, capsys.readouterr().out.splitlines())
    twins = [("fanout", "snn"), ("fanout", "qnn"), ("digits-recurrent", "snn")]
    assert twins == [(row[0], row[1]) for row in rows]
    assert ["–", "–"] == [row[4] for row in rows if row[1] == "snn"]
