"""docs/results.md names every key of every file, and no other."""

import re
from pathlib import Path

import pytest

from simulator import run, twin
from simulator.report.files import manifest, tables

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "results.md").read_text()


def section(title: str) -> str:
    return re.split(r"\n## ", PAGE.split(f"\n## {title}\n")[1])[0]


def documented(text: str) -> set[str]:
    """Return the keys of a table's first column: `a.b`, `.c` continues `a.`."""
    keys: set[str] = set()
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        stem = ""
        for key in re.findall(r"`([^`]+)`", line.split("|")[1]):
            if key.startswith("."):
                key = stem + key
            elif "." in key:
                stem = key.rsplit(".", 1)[0]
            keys.add(key)
    return keys


def written(content: dict, deep: tuple[str, ...]) -> set[str]:
    keys: set[str] = set()
    for name, value in content.items():
        if isinstance(value, dict) and name in deep:
            keys |= {f"{name}.{inner}" for inner in value}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            keys |= {f"{name}[].{inner}" for inner in value[0]}
        else:
            keys.add(name)
    return keys


@pytest.fixture(scope="module")
def results():
    return run("digits-mlp", mode="snn", limit=1), twin("digits-mlp", limit=1)


def test_every_key_of_the_summary_is_documented_and_no_other(results) -> None:
    deep = ("latency_cycles", "energy_j", "counters", "stall_cycles", "bottleneck", "neurobench")
    assert written(results[0].summary(), deep) == documented(section("summary.json"))


def test_every_key_of_the_twin_file_is_documented_and_no_other(results) -> None:
    assert written(results[1].summary(), ("accuracy", "energy_per_inference_j")) == documented(
        section("summary.json of a twin run")
    )


def test_the_comparison_of_spike_counts_holds_no_empty_accuracy(results) -> None:
    said = results[1].summary()
    assert None not in said["accuracy"].values()
    compared = said["spike_counts_against_activations"]
    assert not [key for key in compared if "accuracy" in key]


def test_every_key_of_the_manifest_is_documented(results) -> None:
    for key in manifest(results[0], []):
        assert f"`{key}`" in section("manifest.json"), key


def test_every_array_of_the_tables_is_documented(results) -> None:
    for name, arrays in tables(results[0]).items():
        line = next(
            line for line in section("Tables").splitlines() if line.startswith(f"| `{name}.npz`")
        )
        for array in arrays:
            if name == "populations" and array in results[0].summary()["populations"][0]:
                continue
            assert f"`{array}`" in line, f"{name}.npz: {array}"


def test_the_python_example_runs(capsys) -> None:
    exec(PAGE.split("```python\n")[1].split("```")[0], {})  # noqa: S102
    assert "wins on energy" in capsys.readouterr().out
