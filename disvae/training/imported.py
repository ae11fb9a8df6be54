"""Run directories of models that were trained elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disvae.data import ImageDataset
from disvae.models import LatentModel
from disvae.spec import describe, plain
from disvae.training.files import write_tensors
from disvae.training.run import Run, load_run, write_config


def import_model(
    model: LatentModel,
    run_dir: str | Path,
    data: ImageDataset | None = None,
    source: Mapping[str, Any] | None = None,
) -> Run:
    """Write a run directory of a model that something else has trained, for all that reads runs.

    Args:
        model: the model.
        run_dir: a folder that holds no run yet.
        data: images to measure and to show it on; without them only what needs none can be done.
        source: what is known of its training, in plain values; kept in the configuration.

    Returns:
        The run, which has no loss: nothing can go on with its training.

    Raises:
        ValueError: the folder holds a run, the images are of another shape than the model's, or the
            model or the data cannot be described in plain values.

    Example:
        >>> from disvae import BurgessVAE
        >>> from disvae.data import Sprites
        >>> model = BurgessVAE((1, 64, 64), latent_dim=3)
        >>> import_model(model, "imported", Sprites()).model().latent_dim
        3
    """
    folder = Path(run_dir)
    if (folder / "config.yaml").exists():
        raise ValueError(f"{folder} holds a run already: give another folder")
    described = describe(model)
    shape = described["init_args"].get("image_shape")
    if data is not None and shape is not None and tuple(shape) != data.image_shape:
        raise ValueError(
            f"the model takes images of shape {tuple(shape)} (channels, height, width), but those "
            f"of {type(data).__name__} are {data.image_shape}"
        )
    config = {
        "model": described,
        "loss": None,
        "data": None if data is None else describe(data),
        "seed": 0,
        "imported": plain(dict(source or {})),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / "model.safetensors", model.state_dict())
    write_config(folder, config)
    return load_run(folder)
