"""Any loss, with the three terms of the KL beside its own: what makes losses comparable."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from disvae.divergence import Estimator, KLDecomposition, draw, map_parameters
from disvae.divergence.bounded import refuse_bounds
from disvae.likelihoods import Likelihood
from disvae.losses.base import Codes, Images, Loss, LossOutput, Step, Terms, local, mean_kl


class Decomposed(Loss):
    """Another loss, which now and then also reports the three terms of the KL.

    The loss is the same to the last bit. Its terms gain ``mutual_information``,
    ``total_correlation`` and ``dimension_wise_kl``, by one estimator for all losses, at step 0 and
    every so many steps from there, and in evaluation; and ``kl`` in closed form if it had none.
    They are those of the first images that the loss encodes, of the first batch if it gets several,
    and of the posteriors as the model gives them: a loss that changes these, as GVAELoss does, or
    whose KL is of some dimensions only, as CycleConsistentLoss's is, has a ``kl`` of its own, which
    is not their sum.
    What the loss itself estimates under these three names, by its own means, is reported as
    ``total_correlation_in_loss`` and so on.

    Args:
        criterion: the loss; one that calls the model, or its encoder, with the images.
        estimator: of the terms, such as ``MinibatchJackknife(dataset_size)``.
        every: steps between two estimates.

    Raises:
        ValueError: ``every`` is less than 1, or later the loss never encoded an image, or the
            model's prior has bounds.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, VAELoss
        >>> from disvae.divergence import MinibatchJackknife
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> criterion = Decomposed(VAELoss(), MinibatchJackknife(1_000), every=50)
        >>> "total_correlation" in criterion(model, x, 100).terms
        True
    """

    def __init__(self, criterion: Loss, estimator: Estimator, every: int = 50) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every}")
        self.criterion, self.estimator, self.every = criterion, estimator, every

    def forward(self, model: Any, batch: Any, step: Step = None) -> LossOutput:
        """Compute the loss, and perhaps the terms; see :meth:`Loss.forward`.

        A step that is a tensor, being recorded, is never one of those with the terms.
        """
        due = step is None or (not isinstance(step, Tensor) and step % self.every == 0)
        if due:
            refuse_bounds(model.prior)
            first = _First(len(batch[0] if isinstance(batch, (tuple, list)) else batch))
            model = _Recorder(model, first)
        loss, own = self.criterion(model, batch, step)
        terms = {f"{k}_in_loss" if k in KLDecomposition._fields else k: v for k, v in own.items()}
        if due:
            found = first.terms(self.estimator, model.prior)
            terms |= {name: term for name, term in found.items() if name not in terms}
        return LossOutput(loss, terms)

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Those of the loss."""
        return self.criterion.parameter_groups(model, lr)


class _First:
    """The posterior and the codes of the images that were encoded first.

    Args:
        n: how many images to keep if they were encoded without their codes being drawn.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._posterior: Distribution | None = None
        self._z: Codes | None = None

    def keep(self, posterior: Distribution, z: Codes | None = None) -> None:
        """Keep them, if they are the first."""
        if self._posterior is None:
            rows = slice(self._n if z is None else None)
            self._posterior, self._z = _detached(posterior, rows), z

    def terms(self, estimator: Estimator, prior: Distribution) -> Terms:
        """The KL and its three terms."""
        if self._posterior is None:
            raise ValueError("the loss never encoded an image: there are no codes to decompose")
        z = _draw(self._posterior) if self._z is None else self._z.detach()
        parts = estimator(self._posterior, z, prior)
        return {"kl": mean_kl(self._posterior, prior), **parts._asdict()}


class _Recorder:
    """The model, with a note of what it encodes."""

    def __init__(self, model: Any, first: _First) -> None:
        self._model, self._first = model, first

    def __call__(self, x: Images) -> tuple[Any, ...]:
        output = self._model(x)
        self._first.keep(output[0], output[1])
        return output

    def encode(self, x: Images) -> Distribution:
        posterior = self._model.encode(x)
        self._first.keep(posterior)
        return posterior

    def decode(self, z: Codes) -> Images:
        return self._model.decode(z)

    @property
    def local(self) -> "_Recorder":
        return _Recorder(local(self._model), self._first)

    @property
    def likelihood(self) -> Likelihood:
        return self._model.likelihood

    @property
    def prior(self) -> Distribution:
        return self._model.prior

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def _detached(posterior: Distribution, rows: slice) -> Any:
    return map_parameters(lambda parameter: parameter[rows].detach(), posterior)


def _draw(posterior: Distribution) -> Codes:
    """Codes that leave the global random state as it is, so that training goes on the same."""
    return draw(posterior, 1, torch.Generator().manual_seed(torch.initial_seed()))[0]
