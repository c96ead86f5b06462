"""Networks of other tools for the tests, as those tools export them and run them themselves.

    pip install -r tests/importers/data/requirements.txt
    python tests/importers/export.py

Each case is a file NAME.nir, a file NAME.npz (ten inputs, the spikes of every population on them,
as the tool computes them) and its line in cases.json. Weights are random, from a fixed seed, scaled
so that neurons fire. The tools are heavy, so the files are shipped.
"""

import json
import warnings
from pathlib import Path

import nir
import norse.torch as norse
import numpy as np
import sinabs.layers as sl
import snntorch
import torch
from norse.torch.functional.lif import LIFParameters
from norse.torch.functional.lif_box import LIFBoxParameters
from norse.torch.utils.export_nir import to_nir as from_norse
from sinabs.nir import to_nir as from_sinabs
from snntorch.export_nir import export_to_nir as from_snntorch
from snntorch.utils import reset
from spikingjelly.activation_based import functional, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir as from_spikingjelly
from torch import nn

HERE = Path(__file__).parent / "data"
INPUTS, TIMESTEPS = 10, 40
CASES = {}


def drawn(shape: tuple[int, ...], rate: float = 0.3) -> torch.Tensor:
    """Spikes (T, inputs, *shape)."""
    return (torch.rand(TIMESTEPS, INPUTS, *shape) < rate).float()


def louder(net: nn.Module, factor: float) -> nn.Module:
    """Scale all weights, so that neurons fire."""
    for parameter in net.parameters():
        if parameter.ndim > 1:
            parameter.data *= factor
    return net


def write(name: str, graph, x: torch.Tensor, spikes: dict, **choices) -> None:
    """Write one case."""
    nir.write(HERE / f"{name}.nir", graph, compression=None)
    arrays = {
        f"{node}.spikes": np.stack(s, 1).reshape(INPUTS, TIMESTEPS, -1)
        for node, s in spikes.items()
    }
    fired = {node: int(array.sum()) for node, array in arrays.items()}
    assert all(fired.values()), (name, fired)
    first = next(key for key, node in graph.nodes.items() if isinstance(node, nir.Input))
    arrays[first] = x.transpose(0, 1).reshape(INPUTS, TIMESTEPS, -1).numpy()
    np.savez_compressed(
        HERE / f"{name}.npz", **{key: array.astype(np.uint8) for key, array in arrays.items()}
    )
    CASES[name] = choices
    print(name, fired, choices)


def watched(net: nn.Module, nodes: dict[str, str]) -> dict[str, list]:
    """Lists that grow with what modules return, by the node each becomes."""
    seen: dict[str, list] = {node: [] for node in nodes.values()}

    def keep(node):
        def hook(module, given, found):
            found = found[0] if isinstance(found, tuple) else found
            seen[node].append(found.detach().reshape(INPUTS, -1).numpy().copy())

        return hook

    for name, module in net.named_modules():
        if name in nodes:
            module.register_forward_hook(keep(nodes[name]))
    return seen


def snntorch_cases() -> None:
    def case(name, net, shape, nodes, factor=2.0, rate=0.3, **choices):
        net = louder(net, factor)
        x = drawn(shape, rate)
        graph = from_snntorch(net, x[0, :1], ignore_dims=[0])
        reset(net)
        seen = watched(net, nodes)
        for now in x:
            net(now)
        write(f"snntorch-{name}", graph, x, seen, tool="snntorch", **choices)

    def leaky(shape, beta, kind=snntorch.Leaky, **more):
        full = [torch.full(shape, value) for value in (beta, 1.0)]
        return kind(full[0], threshold=full[1], init_hidden=True, **more)

    def synaptic(shape, alpha, beta, kind=snntorch.Synaptic, **more):
        full = [torch.full(shape, value) for value in (alpha, beta, 1.0)]
        return kind(full[0], full[1], threshold=full[2], init_hidden=True, **more)

    case(
        "mlp",
        nn.Sequential(nn.Linear(20, 16), leaky((16,), 0.9), nn.Linear(16, 5), leaky((5,), 0.8)),
        (20,),
        {"1": "1", "3": "3"},
    )
    zero = {"reset_mechanism": "zero"}
    case(
        "zero",
        nn.Sequential(
            nn.Linear(20, 16), leaky((16,), 0.9, **zero), nn.Linear(16, 5), leaky((5,), 0.8, **zero)
        ),
        (20,),
        {"1": "1", "3": "3"},
        reset="zero",
    )
    case(
        "loop",
        nn.Sequential(
            nn.Linear(20, 16),
            leaky((16,), 0.9, snntorch.RLeaky, linear_features=16, **zero),
            nn.Linear(16, 5),
            leaky((5,), 0.8, **zero),
        ),
        (20,),
        {"1": "1.lif", "3": "3"},
        reset="zero",
    )
    case(
        "synaptic",
        nn.Sequential(
            nn.Linear(20, 16),
            synaptic((16,), 0.7, 0.9),
            nn.Linear(16, 5),
            synaptic((5,), 0.5, 0.75, snntorch.RSynaptic, linear_features=5),
        ),
        (20,),
        {"1": "1", "3": "3.lif"},
        rate=0.15,
    )
    case(
        "conv",
        nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=2, padding=1),
            leaky((4, 4, 4), 0.9),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 5),
            leaky((5,), 0.8),
        ),
        (2, 8, 8),
        {"1": "1", "5": "5"},
        factor=3.0,
    )


def sinabs_cases() -> None:
    def case(name, net, shape, nodes, factor=2.0, rate=0.3, **choices):
        net = louder(net, factor)
        x = drawn(shape, rate)
        with torch.no_grad():
            graph = from_sinabs(net, x[0, :1])
        if len(shape) > 1:
            graph.infer_types()
        seen: dict[str, list] = {node: [] for node in nodes.values()}
        for k in range(INPUTS):  # squeezed layers take (batch * time, ...)
            for module in net:
                if hasattr(module, "reset_states"):
                    module.reset_states()
            y = x[:, k]
            for at, module in enumerate(net):
                y = module(y)
                if str(at) in nodes:
                    seen[nodes[str(at)]].append(y.detach().reshape(TIMESTEPS, -1).numpy())
        write_whole(f"sinabs-{name}", graph, x, seen, tool="sinabs", **choices)

    def write_whole(name, graph, x, seen, **choices):
        by_step = {node: list(np.stack(parts).transpose(1, 0, 2)) for node, parts in seen.items()}
        write(name, graph, x, by_step, **choices)

    iaf = {"batch_size": 1, "min_v_mem": -1.0}
    case(
        "conv",
        nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, bias=False),
            sl.IAFSqueeze(**iaf),
            sl.SumPool2d(2),
            nn.Conv2d(4, 4, 3, stride=2, padding=1),
            sl.IAFSqueeze(**iaf),
            nn.Flatten(),
            nn.Linear(16, 5, bias=False),
            sl.IAFSqueeze(**iaf),
        ),
        (2, 8, 8),
        {"1": "1", "4": "4", "7": "7"},
    )
    case(
        "leaky",
        nn.Sequential(
            nn.Linear(20, 16),
            sl.LIFSqueeze(tau_mem=20.0, batch_size=1),
            nn.Linear(16, 5),
            sl.LIFSqueeze(tau_mem=10.0, batch_size=1),
        ),
        (20,),
        {"1": "1", "3": "3"},
        factor=20.0,
        lower="none",
    )


def norse_cases() -> None:
    def case(name, net, factor=2.0, **choices):
        net = louder(net, factor)
        x = drawn((20,))
        graph = from_norse(net, x[0, 0])
        seen: dict[str, list] = {"1": [], "3": []}
        state = None
        first, cell, second, last = net
        states = [None, None]
        for now in x:
            spikes, states[0] = cell(first(now), states[0])
            seen["1"].append(spikes.detach().numpy())
            spikes, states[1] = last(second(spikes), states[1])
            seen["3"].append(spikes.detach().numpy())
        del state
        write(f"norse-{name}", graph, x, seen, tool="norse", **choices)

    def two(cell):
        return norse.SequentialState(nn.Linear(20, 16), cell(), nn.Linear(16, 5), cell())

    case("box", two(lambda: norse.LIFBoxCell(p=LIFBoxParameters())), 30.0)
    case("iaf", two(norse.IAFCell), 3.0)
    case("lif", two(lambda: norse.LIFCell(p=LIFParameters())), 20.0)


def spikingjelly_cases() -> None:
    def case(name, net, shape, nodes, factor=3.0, **choices):
        net = louder(net, factor)
        x = drawn(shape)
        graph = from_spikingjelly(net, x[0, :1])
        functional.reset_net(net)
        seen = watched(net, nodes)
        for now in x:
            net(now)
        write(f"spikingjelly-{name}", graph, x, seen, tool="spikingjelly", **choices)

    def two(cell):
        return nn.Sequential(nn.Linear(20, 16), cell(), nn.Linear(16, 5), cell())

    both = {"1": "_1", "3": "_3"}
    case("if", two(neuron.IFNode), (20,), both)
    case("lif", two(lambda: neuron.LIFNode(tau=3.0)), (20,), both, 6.0)
    case("added", two(lambda: neuron.LIFNode(tau=3.0, decay_input=False)), (20,), both)
    case("cuba", two(lambda: neuron.CUBALIFNode(c_decay=0.5, v_decay=0.75)), (20,), both)
    case(
        "conv",
        nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=1, padding=0),
            neuron.IFNode(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(36, 5),
            neuron.IFNode(),
        ),
        (2, 8, 8),
        {"1": "_1", "5": "_5"},
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.manual_seed(7)
    HERE.mkdir(exist_ok=True)
    for cases in (snntorch_cases, sinabs_cases, norse_cases, spikingjelly_cases):
        cases()
    (HERE / "cases.json").write_text(json.dumps(CASES, indent=1) + "\n")
