"""Independent variables of which some are continuous and some categorical."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal, kl_divergence, register_kl
from torch.nn import functional as F

Codes = Float[Tensor, "*batch latent_dim"]
Columns = Float[Tensor, "*batch columns"]


class MixedDistribution(Distribution):
    r"""Continuous and categorical variables, all independent of each other.

    Networks take a categorical variable as a one-hot vector, people and metrics as the number of
    its category. So a draw is in *columns*, the continuous variables and then a one-hot block for
    each categorical one; a *code* has a dimension for each variable, and :meth:`codes` and
    :meth:`columns` go from one to the other. Log-densities and KLs have the shape of codes.

    Categories are drawn by the Gumbel trick; in the backward pass a draw is the softmax of its
    noisy logits at a temperature, so that it has a gradient (straight through).

    Args:
        continuous: of shape (*batch, n_continuous), such as a Normal.
        logits: of each categorical variable, (*batch, n_categories), normalised or not.
        temperature: of the gradient: low ones are less biased and have more variance.

    Raises:
        ValueError: a categorical variable of fewer than 2 categories, or a temperature that is not
            positive.

    Reference:
        Categorical Reparameterization with Gumbel-Softmax, Jang et al. 2017,
        https://arxiv.org/abs/1611.01144

    Example:
        >>> q = MixedDistribution(Normal(torch.zeros(5, 2), torch.ones(5, 2)), [torch.zeros(5, 3)])
        >>> q.rsample().shape, q.codes(q.rsample()).shape
        (torch.Size([5, 5]), torch.Size([5, 3]))
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012  as torch declares it
    has_rsample = True

    def __init__(
        self, continuous: Distribution, logits: Sequence[Tensor], temperature: float = 0.67
    ) -> None:
        self.categories = tuple(block.shape[-1] for block in logits)
        if any(n < 2 for n in self.categories):
            raise ValueError(f"expected at least 2 categories each, got {self.categories}")
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, got {temperature}")
        self.continuous = continuous
        self.logits = tuple(F.log_softmax(block, dim=-1) for block in logits)
        self.temperature = temperature
        *batch, self.n_continuous = continuous.batch_shape
        shape = torch.Size([*batch, self.n_continuous + len(self.categories)])
        super().__init__(shape, validate_args=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of columns of each variable."""
        return (*[1] * self.n_continuous, *self.categories)

    @property
    def loc(self) -> Codes:
        """The code that stands for the distribution: means, and the most probable categories."""
        best = [block.argmax(-1, keepdim=True) for block in self.logits]
        mean = self.continuous.mean
        return torch.cat([mean, *(number.to(mean) for number in best)], dim=-1)

    def codes(self, columns: Columns) -> Codes:
        """Draws as codes: the largest column of each block is its category."""
        continuous, *blocks = self._split(columns)
        numbers = [block.argmax(-1, keepdim=True).to(columns) for block in blocks]
        return torch.cat([continuous, *numbers], dim=-1)

    def columns(self, codes: Codes) -> Columns:
        """Codes as the networks take them; a category between two numbers is the nearest."""
        continuous, numbers = codes[..., : self.n_continuous], codes[..., self.n_continuous :]
        blocks = [
            F.one_hot(number.round().long().clamp(0, n - 1), n).to(codes)
            for number, n in zip(numbers.unbind(-1), self.categories, strict=True)
        ]
        return torch.cat([continuous, *blocks], dim=-1)

    def rsample(self, sample_shape: Any = torch.Size()) -> Columns:  # noqa: B008  as torch has it
        """Draws, in columns, with a gradient."""
        shape = torch.Size(sample_shape)
        blocks = [self._draw(block.expand(*shape, *block.shape)) for block in self.logits]
        return torch.cat([self.continuous.rsample(shape), *blocks], dim=-1)

    def log_prob(self, value: Columns) -> Codes:
        """The log-density of each variable; in a category's columns it is linear."""
        continuous, *blocks = self._split(value)
        logs = [
            (block * logits).sum(-1, keepdim=True)
            for block, logits in zip(blocks, self.logits, strict=True)
        ]
        return torch.cat([self.continuous.log_prob(continuous), *logs], dim=-1)

    def _split(self, columns: Columns) -> tuple[Tensor, ...]:
        return columns.split([self.n_continuous, *self.categories], dim=-1)

    def _draw(self, logits: Tensor) -> Tensor:
        # Not F.gumbel_softmax, whose noise is infinite where a uniform draw is exactly 0.
        uniform = torch.rand_like(logits).clamp(min=torch.finfo(logits.dtype).tiny)
        noisy = logits - (-uniform.log()).log()
        soft = (noisy / self.temperature).softmax(-1)
        hard = F.one_hot(noisy.argmax(-1), logits.shape[-1]).to(soft)
        return hard + soft - soft.detach()


@register_kl(MixedDistribution, MixedDistribution)
def _kl(q: MixedDistribution, p: MixedDistribution) -> Codes:
    blocks = [
        (a.exp() * (a - b)).sum(-1, keepdim=True) for a, b in zip(q.logits, p.logits, strict=True)
    ]
    return torch.cat([kl_divergence(q.continuous, p.continuous), *blocks], dim=-1)


def join(posteriors: Sequence[Distribution]) -> Any:
    """The posteriors of some batches as one, on the CPU and in single precision.

    Args:
        posteriors: all of them Normal, or all :class:`MixedDistribution`.
    """
    first = posteriors[0]
    if isinstance(first, MixedDistribution):
        mixed: Any = posteriors
        blocks = zip(*(q.logits for q in mixed), strict=True)
        logits = [torch.cat([block.float().cpu() for block in column]) for column in blocks]
        return MixedDistribution(join([q.continuous for q in mixed]), logits, first.temperature)
    normal: Any = posteriors
    loc = torch.cat([q.loc.float().cpu() for q in normal])
    scale = torch.cat([q.scale.float().cpu() for q in normal])
    return Normal(loc, scale, validate_args=False)
