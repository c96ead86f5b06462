"""Train the digits with snnTorch and export them as NIR: `python workloads/train_snntorch.py`.

It needs snntorch, nir, nirtorch and scikit-learn. Neurons do not leak (a decay of 1 cannot be
exported: NIR would need an infinite time constant) and reset in the timestep in which they fire, so
that the network has a quantised twin. The images are split as in train_digits.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nir
import numpy as np
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir
from snntorch.utils import reset
from torch import nn
from train_digits import split

TIMESTEPS, EPOCHS, BATCH = 8, 30, 64
NO_LEAK = 0.9999999


def layer(n: int) -> snn.Leaky:
    """Return n integrate-and-fire neurons with reset by subtraction."""
    decay, threshold = torch.full((n,), NO_LEAK), torch.full((n,), 1.0)
    return snn.Leaky(decay, threshold=threshold, init_hidden=True, reset_delay=False)


def counts(net: nn.Sequential, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the output's spikes per image, and the spikes of the hidden layer (n, T, neurons)."""
    reset(net)
    hidden, out = [], []
    for _ in range(TIMESTEPS):
        hidden.append(net[1](net[0](images)))
        out.append(net[3](net[2](hidden[-1])))
    return torch.stack(out).sum(0), torch.stack(hidden, 1)


def train(images: torch.Tensor, labels: torch.Tensor) -> nn.Sequential:
    """Return the trained network; spikes are penalised, so that they stay few."""
    net = nn.Sequential(nn.Linear(64, 64), layer(64), nn.Linear(64, 10), layer(10))
    adam = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            found, hidden = counts(net, images[batch])
            loss = nn.functional.cross_entropy(found, labels[batch]) + 0.5 * hidden.mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
    return net


def main(folder: Path) -> None:
    """Train, export digits.nir, and write the held-out images and what snnTorch makes of them."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images, labels, held_out, held_out_labels = split()
    net = train(torch.tensor(images / 16), torch.tensor(labels))
    x = torch.tensor(held_out / 16)
    with torch.no_grad():
        found, hidden = counts(net, x)
        reset(net)
        nir.write(folder / "digits.nir", export_to_nir(net, x[:1], ignore_dims=[0]))
    accuracy = (found.argmax(1).numpy() == held_out_labels).mean()
    print(f"snnTorch: {accuracy:.2%} of {len(x)} held-out images, {hidden.mean():.2%} spike rate")
    np.savez_compressed(
        folder / "digits.npz",
        images=held_out / np.float32(16),
        labels=held_out_labels.astype(np.uint8),
    )
    recorded = {"input": np.repeat(held_out[:10, None] / np.float32(16), TIMESTEPS, axis=1)}
    np.savez_compressed(
        folder / "recorded.npz", **recorded, **{"1.spikes": hidden[:10].numpy().astype(np.uint8)}
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "digits-snntorch")
