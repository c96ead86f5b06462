"""The house keeps its laws: who may import whom, which file may import what, and how long a file
may be.
"""

import ast
import re
from pathlib import Path

import pytest

from simulator.describe.words import BITMAP, CURRENT, ENCODINGS, FIRINGS, GRADED, MODES, RASTER

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "simulator"
GROUND = {"errors", "units", "values", "memory", "scratch", "jit", "kernel_cache"}
#: a module imports from the folders to its left, from its own, and from the ground floor
FLOW = [
    "analytic",
    "describe",
    "importers",
    "behaviour",
    "mapping",
    "timing",
    "account",
    "study",
    "report",
    "commands",
]
#: a package and the only files that may import it
ONLY = {
    "numba": {"jit/*.py"},
    "simpy": {
        "timing/reference/*.py",
        "timing/engine/fabric.py",
        "timing/engine/__init__.py",
        "timing/watch.py",
    },
    "yaml": {"describe/documents.py"},
    "pydantic": {"describe/*.py", "describe/components/*.py"},
    "matplotlib": {"report/*.py"},
    "h5py": {"importers/*.py"},
    "onnx": {"importers/*.py"},
    "optuna": {"study/optimise.py"},
    "distributed": {"study/on_dask.py"},
    "click": {"commands/*.py", "__main__.py"},
    "rich_click": {"commands/*.py", "__main__.py"},
    "rich": {"report/*.py", "commands/*.py"},
}
OPTION = re.compile(r"--[a-z][a-z-]*|(?:^|(?<=[\s`'\"(]))-o(?=[\s`'\":)]|$)")
WORD = re.compile(r"[\w.]+")
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return (module, is_typing_only) of every import of a file, wherever it stands."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written from the root"
            found.append((node.module or "", id(node) in typing_only))
            found += [
                (f"{node.module}.{alias.name}", id(node) in typing_only) for alias in node.names
            ]
    return found


def room(path: Path) -> str:
    """Return the folder of the flow a file stands in, or its own name on the ground floor."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_left(path: Path) -> None:
    here = room(path)
    if here in ("__init__", "__main__"):
        return
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] != "simulator" or len(parts) == 1:
            continue
        there = parts[1]
        assert there not in ("__main__",), f"{path.name} imports the command line"
        if there in GROUND or there == here:
            continue
        assert here not in GROUND, f"{path.name} is on the ground floor and imports {module}"
        assert there in FLOW, f"{path.name} imports {module}, which is in no room of the house"
        assert FLOW.index(there) < FLOW.index(here), (
            f"{here}/{path.name} imports {module}, which is not to its left"
        )


def test_the_two_engines_never_import_each_other() -> None:
    for here, there in (("reference", "engine"), ("engine", "reference")):
        for path in (PACKAGE / "timing" / here).glob("*.py"):
            for module, _ in imports(path):
                assert not module.startswith(f"simulator.timing.{there}"), (
                    f"{here}/{path.name} imports {module}"
                )


@pytest.mark.parametrize("package", ONLY)
def test_a_library_is_imported_in_its_own_place_only(package: str) -> None:
    for path in MODULES:
        if any(path.relative_to(PACKAGE).match(pattern) for pattern in ONLY[package]):
            continue
        used = [
            module
            for module, typing_only in imports(path)
            if module.split(".")[0] == package and not typing_only
        ]
        assert not used, f"{path.relative_to(ROOT)} imports {package}"


#: what only the pipeline may put together, besides the rooms that make it
STAGES = {
    "simulator.mapping.partition.partition",
    "simulator.mapping.machine.compile_plan",
    "simulator.mapping.activity.compile_activity",
    "simulator.account.energy.account",
}


@pytest.mark.parametrize("folder", ["study", "report", "commands"])
def test_only_the_pipeline_puts_stages_together(folder: str) -> None:
    for path in (PACKAGE / folder).glob("*.py"):
        used = STAGES & {name for name, _ in imports(path)}
        if "simulator.account.energy" in {name for name, _ in imports(path)}:
            used |= STAGES & {
                "simulator.account." + word for word in WORD.findall(path.read_text())
            }
        if (
            path.name == "mapper.py"
        ):  # what the pipeline asks for a mapping begins with the plain one
            used -= {"simulator.mapping.partition.partition"}
        if path.name == "pipeline.py":
            assert used == STAGES
        elif path.name == "mapper.py":  # what `auto` finds, which the pipeline asks it for
            assert used <= {"simulator.mapping.partition.partition"}
        else:
            assert not used, f"{path.relative_to(ROOT)} does the pipeline's work: {sorted(used)}"


def test_no_circle_of_modules() -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    known = {
        ".".join(("simulator", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in MODULES
    }
    for name, path in known.items():
        for module, typing_only in imports(path):
            if module in known and not typing_only and module != name:
                graph.add_edge(name, module)
    assert networkx.is_directed_acyclic_graph(graph), networkx.find_cycle(graph)


#: lines a file of Python may have at most
LONGEST = 400


@pytest.mark.parametrize("folder", ["simulator", "tests", "benchmarks", "workloads"])
def test_no_file_is_longer_than_400_lines(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in (ROOT / folder).rglob("*.py")
        if (n := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long


def test_no_two_test_files_have_one_name() -> None:
    """Files of one name in two folders end pytest before it has collected anything."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert not {name for name in names if names.count(name) > 1}


def test_nothing_is_left_unfinished() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    for path in MODULES:
        for word in words:
            assert word not in path.read_text(), f"{path.relative_to(ROOT)} says {word}"


#: words that are written for one thing only, and for what others are written too
ALONE = {*MODES, *FIRINGS, CURRENT, RASTER, BITMAP}
SHARED = {GRADED, *ENCODINGS}
BESIDE = {"mode", "firing", "encoding", "spikes", "activations"}


def test_modes_firings_stimuli_and_encodings_are_compared_by_name() -> None:
    """describe/words.py has them; a slip in a bare string would compare unequal, silently."""
    bare = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                words = {side.value for side in sides if isinstance(side, ast.Constant)}
                texts = {word for word in words if isinstance(word, str)}
                names = {getattr(side, "attr", getattr(side, "id", None)) for side in sides}
                if texts & ALONE or (texts & SHARED and names & BESIDE):
                    place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                    bare.append(f"{place}: {ast.unparse(node)}")
    assert [] == bare
