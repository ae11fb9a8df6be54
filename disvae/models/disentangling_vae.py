"""Models that the repository ``disentangling-vae`` has trained."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from disvae.likelihoods import Bernoulli, Gaussian, Laplace, Likelihood, Sigmoid
from disvae.models.burgess import BurgessVAE
from disvae.models.layers import ImageShape

# Its squared error is summed over pixels in [0, 255] and divided by 255, its absolute error is
# multiplied by 3; as log-likelihoods, constants aside, these are a Gaussian and a Laplace so wide.
LIKELIHOODS: dict[str, Likelihood] = {
    "bernoulli": Bernoulli(),
    "gaussian": Sigmoid(Gaussian(std=510**-0.5)),
    "laplace": Sigmoid(Laplace(scale=1 / 3)),
}


def load_disentangling_vae(folder: str | Path) -> BurgessVAE:
    """The model of a results folder of ``disentangling-vae``, in evaluation mode.

    Its network is that of :class:`BurgessVAE`; only the names of the weights differ, the order of
    the encoder's outputs (mean and log-variance of one dimension after the other), and that its
    decoder ends in a sigmoid, which here is the likelihood's. Images in [0, 1], of 32×32 or 64×64.

    Args:
        folder: one with ``model.pt``, which is read without unpickling any object, and
            ``specs.json``.

    Returns:
        The model, which gives the same means, log-variances and images as the original.

    Raises:
        FileNotFoundError: one of the files is missing.
        ValueError: one is damaged, or holds another network.

    Reference:
        Disentangled VAE, Dubois, Kastanos, Lines and Melman 2019,
        https://github.com/YannDubs/disentangling-vae

    Example:
        >>> model = load_disentangling_vae("results/btcvae_dsprites")  # doctest: +SKIP
        >>> model.save_pretrained("btcvae_dsprites")  # doctest: +SKIP
    """
    folder = Path(folder)
    image_shape, latent_dim, likelihood = _read_specs(folder / "specs.json")
    model = BurgessVAE(image_shape, latent_dim, likelihood)
    file = folder / "model.pt"
    names = _names(large=image_shape[1] == 64)
    model.load_state_dict(_renamed(_read_weights(file), names, model.state_dict(), file))
    return model.eval()


def _read_specs(file: Path) -> tuple[ImageShape, int, Likelihood]:
    text = _existing(file).read_text(encoding="utf-8")
    try:
        specs = json.loads(text)
        model, latent_dim = str(specs.get("model_type", "Burgess")), int(specs["latent_dim"])
        channels, height, width = (int(side) for side in specs["img_size"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{file} does not say img_size and latent_dim, as disentangling-vae writes them "
            f"({type(error).__name__}: {error})"
        ) from error
    likelihood = LIKELIHOODS.get(specs.get("rec_dist", "bernoulli"))
    known = model.lower() == "burgess" and (height, width) in ((32, 32), (64, 64))
    if not known or likelihood is None:
        raise ValueError(
            f"{file} describes no Burgess network for 32×32 or 64×64 images: model_type {model!r}, "
            f"img_size {specs['img_size']}, rec_dist {specs.get('rec_dist')!r}"
        )
    return (channels, height, width), latent_dim, likelihood


def _read_weights(file: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(_existing(file), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ValueError(
            f"{file} cannot be read as weights alone ({str(error).splitlines()[0]}): it is "
            "damaged, or holds objects, which are never unpickled"
        ) from error
    if not isinstance(state, Mapping):
        raise ValueError(f"{file} holds a {type(state).__name__}, not named weights")
    return dict(state)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} does not exist: a results folder of disentangling-vae has model.pt and "
            "specs.json"
        )
    return file


def _names(large: bool) -> dict[str, str]:
    """The layers' names there, by their names here: of 64×64 images they have one more."""
    down = ["conv1", "conv2", "conv3", *(["conv_64"] if large else [])]
    up = [*(["convT_64"] if large else []), "convT1", "convT2", "convT3"]
    return {
        **{f"encoder.convolutions.{2 * i}": f"encoder.{name}" for i, name in enumerate(down)},
        "encoder.head.0": "encoder.lin1",
        "encoder.head.2": "encoder.lin2",
        "encoder.head.4": "encoder.mu_logvar_gen",
        "decoder.head.0": "decoder.lin1",
        "decoder.head.2": "decoder.lin2",
        "decoder.head.4": "decoder.lin3",
        **{f"decoder.convolutions.{2 * i + 1}": f"decoder.{name}" for i, name in enumerate(up)},
    }


def _renamed(
    state: Mapping[str, Tensor], names: Mapping[str, str], ours: Mapping[str, Tensor], file: Path
) -> dict[str, Tensor]:
    renamed = {}
    for name, weight in ours.items():
        layer, _, kind = name.rpartition(".")
        theirs = f"{names[layer]}.{kind}"
        found = state.get(theirs)
        if found is None or found.shape != weight.shape:
            has = "nothing" if found is None else f"shape {tuple(found.shape)}"
            raise ValueError(
                f"{file} has {has} under {theirs!r}, where the network that its specs.json "
                f"describes has shape {tuple(weight.shape)}"
            )
        if names[layer] == "encoder.mu_logvar_gen":
            found = found.unflatten(0, (-1, 2)).transpose(0, 1).flatten(0, 1)
        renamed[name] = found
    return renamed
