"""Any loss, with the three terms of the KL beside its own: what makes losses comparable."""

from typing import Any

from torch import Tensor, nn
from torch.distributions import Distribution

from disvae.divergence import Estimator, KLDecomposition, map_parameters
from disvae.likelihoods import Likelihood
from disvae.losses.base import Codes, Images, Loss, LossOutput, Model, Step, Terms, mean_kl


class Decomposed(Loss):
    """Another loss, which now and then also reports the three terms of the KL.

    The loss is the same to the last bit. Its terms gain ``mutual_information``,
    ``total_correlation`` and ``dimension_wise_kl``, by one estimator for all losses, at step 0 and
    every so many steps from there, and in evaluation; and ``kl`` in closed form if it had none.
    What the loss itself estimates under these three names, by its own means, is reported as
    ``total_correlation_in_loss`` and so on.

    Args:
        criterion: the loss; one that calls the model with the images.
        estimator: of the terms, such as ``MinibatchJackknife(dataset_size)``.
        every: steps between two estimates.

    Raises:
        ValueError: ``every`` is less than 1, or later the loss never called the model.

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
        recorder = _Recorder(model)
        loss, own = self.criterion(recorder if due else model, batch, step)
        terms = {f"{k}_in_loss" if k in KLDecomposition._fields else k: v for k, v in own.items()}
        if due:
            terms = {**terms, **recorder.terms(self.estimator)}
        return LossOutput(loss, terms)

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Those of the loss."""
        return self.criterion.parameter_groups(model, lr)


class _Recorder:
    """The model, which keeps the posterior and the codes of its first batch."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._first: tuple[Distribution, Codes] | None = None

    def __call__(self, x: Images) -> tuple[Distribution, Codes, Images]:
        output = self._model(x)
        if self._first is None:
            self._first = output[0], output[1]
        return output

    def terms(self, estimator: Estimator) -> Terms:
        if self._first is None:
            raise ValueError("the loss never called the model, so there are no codes to decompose")
        posterior, z = (_detached(part) for part in self._first)
        parts = estimator(posterior, z, self.prior)
        return {"kl": mean_kl(posterior, self.prior), **parts._asdict()}

    @property
    def likelihood(self) -> Likelihood:
        return self._model.likelihood

    @property
    def prior(self) -> Distribution:
        return self._model.prior

    def encode(self, x: Images) -> Distribution:
        return self._model.encode(x)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def _detached(part: Any) -> Any:
    if isinstance(part, Tensor):
        return part.detach()
    return map_parameters(Tensor.detach, part)
