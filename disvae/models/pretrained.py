"""Models in folders and on the Hugging Face hub: what the methods of :class:`VAE` of that name do.

config.json         the version of disvae, and the model as :mod:`disvae.spec` describes it
model.safetensors   its weights
README.md           the model card
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from disvae.extras import need
from disvae.files import write_atomically
from disvae.models.card import model_card
from disvae.spec import build, describe
from disvae.version import __version__

if TYPE_CHECKING:
    from disvae.models.latent import LatentModel

Model = TypeVar("Model", bound=nn.Module)

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"

# A stranger's config.json may name these: what they hold makes networks and does nothing else.
TRUSTED = ("disvae.models", "disvae.likelihoods")


def save(model: "LatentModel", folder: Path, card: str | None) -> Path:
    """Write the three files."""
    card = card or model_card(model, folder.name)
    config = {"disvae_version": __version__, "model": describe(model)}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / WEIGHTS, weights_as_bytes(model.state_dict()))
    write_atomically(folder / CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    write_atomically(folder / CARD, card.encode())
    return folder


def weights_as_bytes(state: dict[str, Tensor]) -> bytes:
    """A module's state as safetensors: a table of tensors, with nothing to execute in it."""
    import safetensors.torch

    # Cloned, because safetensors refuses tensors that share memory or are not in row-major order.
    plain = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }
    return safetensors.torch.save(plain)


def find(
    source: str | Path,
    revision: str | None,
    cache_dir: str | Path | None,
    token: str | bool | None,
    local_files_only: bool,
) -> Path:
    """The folder ``source``, or the one that its files are downloaded to."""
    if Path(source).is_dir():
        return Path(source)
    need("hub", f"{source} is no folder, and the Hugging Face hub")
    from huggingface_hub import snapshot_download

    try:
        # Both files of one commit, whatever is pushed meanwhile.
        folder = snapshot_download(
            str(source),
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
            allow_patterns=[CONFIG, WEIGHTS],
        )
    except (ValueError, OSError) as error:  # no name of a repository, or none that answers
        raise FileNotFoundError(
            f"{source} is no folder, and no model that can be read from the hub "
            f"({_one_line(error)})"
        ) from error
    return Path(folder)


def load(cls: type[Model], folder: Path, trust: Sequence[str]) -> Model:
    """Build the model that a folder describes, and give it its weights."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    spec = _read_config(folder / CONFIG)
    weights = _file(folder / WEIGHTS)
    with _naming(folder / CONFIG, TypeError, AttributeError, ValueError):
        model = build(spec, cls, trust=(*TRUSTED, *trust))
    with _naming(weights, SafetensorError, RuntimeError):
        state = load_file(weights)
        kinds = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
        if len(kinds) == 1:
            model.to(kinds.pop())
        model.load_state_dict(state)
    return model.eval()


def push(
    model: "LatentModel",
    repo_id: str,
    card: str | None,
    private: bool,
    token: str | bool | None,
    message: str,
) -> str:
    """Write the model into a temporary folder, and upload that."""
    with TemporaryDirectory() as temporary:
        folder = save(model, Path(temporary), card or model_card(model, repo_id))
        return upload(folder, repo_id, private, token, message)


def upload(
    folder: Path,
    repo_id: str,
    private: bool = False,
    token: str | bool | None = None,
    message: str = "Upload a disvae model",
    pictures: Sequence[str] = (),
) -> str:
    """Write a model's three files, and pictures of its card, into a repository, in one commit.

    What else the folder holds stays where it is. The commit's address comes back.
    """
    need("hub", "the Hugging Face hub")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError  # of whichever HTTP client its version uses

    api = HfApi(token=token, library_name="disvae", library_version=__version__)
    try:
        # None leaves it to the settings of whose repository it becomes
        api.create_repo(repo_id, private=private or None, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            allow_patterns=[CONFIG, WEIGHTS, CARD, *pictures],
            commit_message=message,
        )
    except (HTTPError, OSError) as error:
        raise ConnectionError(
            f"the hub does not take {repo_id} ({_one_line(error)}): can you reach it, is it a "
            "repository of yours, and does `hf auth whoami` know you?"
        ) from error
    return commit.commit_url


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(_file(file).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not JSON: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict):
        raise ValueError(f'{file} describes no model of disvae: it has no mapping "model"')
    return config["model"]


def _file(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: expected what save_pretrained writes, {CONFIG} and {WEIGHTS}"
        )
    return path


@contextmanager
def _naming(file: Path, *kinds: type[Exception]) -> Iterator[None]:
    """Turn what reading a file raises into a ``ValueError`` that names it."""
    try:
        yield
    except kinds as error:
        raise ValueError(f"cannot make the model of {file}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
