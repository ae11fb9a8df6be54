"""The interface of all losses, and the ELBO that most of them start from."""

from abc import ABCMeta, abstractmethod
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from disvae.divergence import kl_per_dimension
from disvae.divergence.bounded import NO_KL, has_bounds
from disvae.images import UnsuitableError, check_images
from disvae.likelihoods import Likelihood
from disvae.spec import Describable

Images = Float[Tensor, "batch channels height width"]
Codes = Float[Tensor, "batch columns"]
Scalar = Float[Tensor, ""]
Terms = dict[str, Tensor]
Step = int | Tensor | None


class LossOutput(NamedTuple):
    """What a loss returns.

    Attributes:
        loss: the scalar to call ``backward`` on, in nats per image.
        terms: detached scalars under fixed names, for logs and for choosing between runs:
            ``objective`` is what the model minimises, ``discriminator`` what an opponent does, and
            the others are the objective's parts, before their weights.
    """

    loss: Scalar
    terms: Terms


@runtime_checkable
class Model(Protocol):
    """What a loss needs of a model: a :class:`disvae.VAE`, or anything like it."""

    likelihood: Likelihood

    @property
    def prior(self) -> Distribution:
        """p(z), of shape (latent_dim,)."""
        ...

    def __call__(self, x: Images) -> tuple[Distribution, Codes, Images]:
        """The posterior, a code drawn from it, and the likelihood's parameters."""
        ...

    def encode(self, x: Images) -> Distribution:
        """The posterior q(z|x)."""
        ...


@runtime_checkable
class Autoencoder(Model, Protocol):
    """What a loss needs that changes the posterior before a code is drawn from it."""

    def decode(self, z: Codes) -> Images:
        """The likelihood's parameters at ``z``."""
        ...


AnyModel = TypeVar("AnyModel", bound=Model)


def local(model: AnyModel) -> AnyModel:
    """The model without the codes of other processes, for what concerns each image by itself.

    In training by several processes a loss sees the codes of all
    (:class:`disvae.training.processes.GlobalBatch`), but only its own images: what it compares
    with these must be made of its own codes.
    """
    alone: AnyModel = getattr(model, "local", model)
    return alone


class _Frozen(ABCMeta):
    """Notes of each object that it is made, ``__init__`` of all subclasses included."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        object.__setattr__(made, "_made", True)
        return made


class Loss(Describable, nn.Module, metaclass=_Frozen):
    """An objective for a model. It owns its own networks, and never an optimiser or a counter.

    It is frozen once it is made: an argument that was assigned anew would reach neither the loss
    nor the run's config.yaml.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, unless it is an argument of a loss that is made.

        Raises:
            AttributeError: it is.
        """
        if "_made" in self.__dict__ and name in self.__dict__.get("_init_args", ()):
            raise AttributeError(
                f"{type(self).__name__} is made, and {name} stays as it is: make another loss, or "
                f"give a weight that changes from step to step as a schedule, such as "
                f"{name}=disvae.schedules.Linear(0.0, 4.0, steps=10_000)"
            )
        super().__setattr__(name, value)

    @abstractmethod
    def forward(self, model: Any, batch: Any, step: Step = None) -> LossOutput:
        """Compute the loss.

        Args:
            model: the model to train, usually a :class:`disvae.VAE`.
            batch: what the data source yields; images for most losses.
            step: the training step, for scheduled weights; None in evaluation, where every
                schedule is over.
        """

    def extra_repr(self) -> str:
        """The arguments that it was made with."""
        plain = {k: v for k, v in self._init_args.items() if not isinstance(v, nn.Module)}
        return ", ".join(f"{name}={value!r}" for name, value in plain.items())

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """The optimiser's parameter groups: the model, and any network of the loss's own.

        Args:
            model: the model to train.
            lr: its learning rate.
        """
        players = (list(model.parameters()), list(self.parameters()))
        return [{"params": parameters, "lr": lr} for parameters in players if parameters]


class ELBOLoss(Loss):
    r"""Reconstruction plus a penalty on the posterior: what a loss of one's own derives from.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \text{penalty}

    Subclasses implement :meth:`regularizer`.
    """

    def forward(self, model: Model, batch: Images, step: Step = None) -> LossOutput:
        """Compute the loss of a batch of images in [0, 1], shape (batch, C, H, W)."""
        check_images(batch)
        posterior, z, parameters = run_model(model, batch)
        reconstruction = model.likelihood.nll(parameters, batch).mean()
        penalty, terms = self.regularizer(posterior, z, model.prior, step)
        return objective(reconstruction, penalty, terms)

    @abstractmethod
    def regularizer(
        self, posterior: Any, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The penalty and its parts.

        Args:
            posterior: q(z|x) of the batch, shape (batch, latent_dim): a Normal, or whatever else
                the model has.
            z: one code per image, drawn from it, in its columns: those of a Normal are its
                dimensions, a categorical variable has a one-hot block.
            prior: p(z), shape (latent_dim,).
            step: see :meth:`Loss.forward`.

        Returns:
            The penalty in nats per image, and the scalars to report under their names.
        """


def run_model(model: Model, x: Images) -> tuple[Distribution, Codes, Images]:
    """The posterior, codes and the decoder's output.

    Raises:
        UnsuitableError: the model gives more than these, or its prior has bounds.
    """
    if has_bounds(model.prior):
        raise UnsuitableError(f"{NO_KL}: train an InfoGAN with InfoGANLoss or InfoWGANGPLoss")
    output = model(x)
    if len(output) != 3:
        raise UnsuitableError(
            "expected a model that gives a posterior, codes and the likelihood's parameters, got "
            f"the {type(output).__name__} of one that has a loss of its own"
        )
    return output


def need_normal(posterior: Distribution, loss: str) -> Normal:
    """The posterior, of a loss that is about the moments of Gaussian codes alone.

    Raises:
        UnsuitableError: it is no Normal.
    """
    if not isinstance(posterior, Normal):
        raise UnsuitableError(
            f"{loss} takes moments of Gaussian codes, got a {type(posterior).__name__}: give a "
            "model without categorical dimensions, or choose another loss"
        )
    return posterior


def objective(reconstruction: Scalar, penalty: Scalar, terms: Terms) -> LossOutput:
    """The sum of reconstruction and penalty, and all terms, detached."""
    loss = reconstruction + penalty
    terms = {"objective": loss, "reconstruction": reconstruction, **terms}
    return LossOutput(loss, {name: term.detach() for name, term in terms.items()})


def mean_kl(posterior: Distribution, prior: Distribution) -> Scalar:
    """The KL term of the ELBO in closed form: nats per image, averaged over the batch."""
    return kl_per_dimension(posterior, prior).sum(-1).mean()
