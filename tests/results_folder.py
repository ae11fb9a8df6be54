"""A results folder as ``disentangling-vae`` writes them, with random weights."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LAYERS = {  # name there: shape of its weight, for images of c channels and d latent dimensions
    "encoder.conv1": (32, "c", 4, 4),
    "encoder.conv2": (32, 32, 4, 4),
    "encoder.conv3": (32, 32, 4, 4),
    "encoder.conv_64": (32, 32, 4, 4),  # of 64×64 images alone
    "encoder.lin1": (256, 512),
    "encoder.lin2": (256, 256),
    "encoder.mu_logvar_gen": ("2d", 256),
    "decoder.lin1": (256, "d"),
    "decoder.lin2": (256, 256),
    "decoder.lin3": (512, 256),
    "decoder.convT_64": (32, 32, 4, 4),  # of 64×64 images alone
    "decoder.convT1": (32, 32, 4, 4),
    "decoder.convT2": (32, 32, 4, 4),
    "decoder.convT3": (32, "c", 4, 4),
}


def weights(channels: int, side: int, latent_dim: int) -> dict[str, Tensor]:
    sizes = {"c": channels, "d": latent_dim, "2d": 2 * latent_dim}
    state = {}
    for name, shape in LAYERS.items():
        if side == 32 and name.endswith("_64"):
            continue
        shape = [sizes.get(size, size) for size in shape]
        outputs = shape[1] if "convT" in name else shape[0]
        state[f"{name}.weight"] = torch.randn(shape) / shape[1] ** 0.5 / 2
        state[f"{name}.bias"] = torch.randn(outputs) / 4
    return state


def write_results(folder: Path, state: dict[str, Tensor], **specs: Any) -> Path:
    torch.save(state, folder / "model.pt")
    (folder / "specs.json").write_text(json.dumps(specs))
    return folder
