"""What all models have in common: images, codes of them, and images of codes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution

from disvae.divergence.parameters import sizes_of
from disvae.likelihoods import Likelihood
from disvae.models import pretrained
from disvae.spec import Describable

Images = Float[Tensor, "batch channels height width"]
Codes = Float[Tensor, "batch latent_dim"]
Columns = Float[Tensor, "batch columns"]
Model = TypeVar("Model", bound="LatentModel")


class VAEOutput(NamedTuple):
    """What one pass of a batch of images through a model gives.

    Attributes:
        posterior: q(z|x), of shape (batch, latent_dim).
        z: one code per image, drawn from the posterior by reparameterisation, in its columns.
        parameters: the likelihood's parameters at ``z``, of the shape of the images.
    """

    posterior: Distribution
    z: Columns
    parameters: Images


class LatentModel(Describable, nn.Module, ABC):
    """A model with codes: what training, metrics, plots and the command line need of one.

    Drawing a code and taking the posterior's mean are two methods, not two modes: ``train()`` and
    ``eval()`` mean to this class what they mean to its networks, and nothing more.

    Attributes:
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the numbers that :meth:`decode` gives mean.
    """

    latent_dim: int
    likelihood: Likelihood

    @property
    @abstractmethod
    def prior(self) -> Distribution:
        """p(z), of shape (latent_dim,)."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of columns in which networks take each dimension of the code.

        1, but for a categorical dimension, which is a one-hot vector of its categories to networks
        and the number of a category elsewhere.
        """
        return sizes_of(self.prior)

    @property
    def columns(self) -> int:
        """The number of all columns: the width of what discriminators and decoders take."""
        return sum(self.sizes)

    @property
    def discrete(self) -> tuple[int, ...]:
        """The dimensions whose codes are numbers of categories."""
        return tuple(j for j, size in enumerate(self.sizes) if size > 1)

    @abstractmethod
    def encode(self, x: Images) -> Distribution:
        """The posterior q(z|x), of shape (batch, latent_dim)."""

    @abstractmethod
    def decode(self, z: Codes | Columns) -> Images:
        """The likelihood's parameters at ``z``: logits for a Bernoulli."""

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator | None = None) -> Codes:
        """``n`` codes drawn from the prior.

        Args:
            n: number of codes.
            generator: source of the draws, on the CPU; PyTorch's global one if None.
        """

    def forward(self, x: Images) -> tuple[Any, ...]:
        """Encode ``x``, draw a code of each image, and decode it; a :class:`VAEOutput`."""
        posterior = self.encode(x)
        z = posterior.rsample()
        return VAEOutput(posterior, z, self.decode(z))

    @abstractmethod
    def represent(self, x: Images) -> Codes:
        """The representation of each image: for a VAE its posterior mean."""

    def describe_posterior(self, x: Images) -> dict[str, Tensor]:
        """What an exported encoder gives (:func:`disvae.models.export_onnx`): tensors by name.

        The representation, unless a model has more to tell.
        """
        return {"code": self.represent(x)}

    def reconstruct(self, x: Images) -> Images:
        """The mean image at the representation of each image."""
        return self.likelihood.mean(self.decode(self.represent(x)))

    def images_of(self, z: Codes, generator: torch.Generator | None = None) -> Images:
        """The mean images at ``z``, with a draw of whatever a code leaves open: in a VAE nothing.

        Args:
            z: the codes.
            generator: source of that draw, on the CPU; PyTorch's global one if None.
        """
        return self.likelihood.mean(self.decode(z))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Images:
        """The mean images at ``n`` codes drawn from the prior; see :meth:`draw`."""
        return self.images_of(self.draw(n, generator), generator)

    def save_pretrained(self, folder: str | Path, card: str | None = None) -> Path:
        """Write the model into a folder: ``config.json``, ``model.safetensors``, ``README.md``.

        Args:
            folder: made if it does not exist; files of these names are replaced.
            card: the text of ``README.md``, from :func:`disvae.models.model_card`; one that says
                what the model is and how to load it if None.

        Returns:
            The folder.

        Raises:
            ValueError: the model was made of modules, which plain values cannot describe.

        Example:
            >>> import tempfile
            >>> from disvae import BurgessVAE
            >>> model = BurgessVAE((1, 32, 32), latent_dim=4).eval()
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     same = BurgessVAE.from_pretrained(model.save_pretrained(folder))
            >>> x = torch.rand(2, 1, 32, 32)
            >>> torch.equal(same.represent(x), model.represent(x))
            True
        """
        return pretrained.save(self, Path(folder), card)

    @classmethod
    def from_pretrained(
        cls: type[Model],
        source: str | Path,
        *,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        trust: Sequence[str] = (),
    ) -> Model:
        """The model of a folder, or of a repository of the Hugging Face hub, in evaluation mode.

        Nothing is unpickled, and only classes of :mod:`disvae.models` and
        :mod:`disvae.likelihoods` are made: ``config.json`` may come from a stranger, and importing
        a module that it names would run that module.

        Args:
            source: a folder that :meth:`save_pretrained` wrote, or a repository such as
                "someone/factor-vae-dsprites".
            revision: a branch, tag or commit of the repository; its main branch if None.
            cache_dir: where downloads are kept; huggingface_hub's own place if None.
            token: to read a private repository with; the one that ``hf auth login`` has left if
                None.
            local_files_only: download nothing, take what an earlier call has left.
            trust: further packages, modules or classes of yours, by import path, that the folder
                may name.

        Raises:
            FileNotFoundError: the source is no such folder and no repository that can be read.
            ValueError: its files are damaged, do not fit each other, hold no model of this class,
                or name classes that are not trusted.
            MissingExtraError: if the source is no folder and huggingface_hub is not installed.
        """
        folder = pretrained.find(source, revision, cache_dir, token, local_files_only)
        return pretrained.load(cls, folder, trust)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        card: str | None = None,
        private: bool = False,
        token: str | bool | None = None,
        message: str = "Upload a disvae model",
    ) -> str:
        """Write the model into a repository of the Hugging Face hub.

        Args:
            repo_id: such as "someone/factor-vae-dsprites"; made if it does not exist.
            card: see :meth:`save_pretrained`.
            private: whether a repository that is made can be seen by its owner only.
            token: to write with; the one that ``hf auth login`` has left if None.
            message: of the commit.

        Returns:
            The address of the commit.

        Raises:
            ValueError: the model was made of modules, or ``repo_id`` is no name of a repository.
            ConnectionError: the hub does not take it; the message says why.
            MissingExtraError: if huggingface_hub is not installed.
        """
        return pretrained.push(self, repo_id, card, private, token, message)
