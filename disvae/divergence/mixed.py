"""Independent variables of which some are continuous and some categorical."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, kl_divergence, register_kl
from torch.nn import functional as F

Codes = Float[Tensor, "*batch latent_dim"]
Columns = Float[Tensor, "*batch columns"]

# The log of a probability of 0: finite, so that 0 times it is 0.
IMPOSSIBLE = -1e30


class MixedDistribution(Distribution):
    r"""Continuous and categorical variables, all independent of each other.

    Networks take a categorical variable as a one-hot vector, people and metrics as the number of
    its category. So a draw is in *columns*, the continuous variables and then a one-hot block for
    each categorical one; a *code* has a dimension for each variable, and :meth:`codes` and
    :meth:`columns` go from one to the other. Log-densities and KLs have the shape of codes.

    Categories are drawn by the Gumbel trick; in the backward pass a draw is the softmax of its
    noisy logits at a temperature, so that it has a gradient (straight through).

    Args:
        continuous: of shape (..., n_continuous), such as a Normal.
        logits: of each categorical variable, (..., n_categories), normalised or not.
        temperature: of the gradient: low ones are less biased and have more variance.

    Raises:
        ValueError: a categorical variable of fewer than 2 categories, or a temperature that is not
            positive.

    Reference:
        Categorical Reparameterization with Gumbel-Softmax, Jang et al. 2017,
        https://arxiv.org/abs/1611.01144

    Example:
        >>> from torch.distributions import Normal
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
        self.logits = tuple(F.log_softmax(block, -1).clamp(min=IMPOSSIBLE) for block in logits)
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

    def log_prob(self, value: Columns) -> Float[Tensor, "... latent_dim"]:
        """The log-density of each variable; in a category's columns it is linear."""
        continuous, *blocks = self._split(value)
        logs = [
            (block * logits).sum(-1, keepdim=True)
            for block, logits in zip(blocks, self.logits, strict=True)
        ]
        return torch.cat([self.continuous.log_prob(continuous), *logs], dim=-1)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "MixedDistribution":
        """The same for a larger batch, of as many variables.

        Raises:
            ValueError: the last number of ``batch_shape`` is not that of the variables.
        """
        *batch, n = torch.Size(batch_shape)
        if n != self.batch_shape[-1]:
            raise ValueError(f"{self.batch_shape[-1]} variables cannot be expanded to {n}")
        continuous = self.continuous.expand(torch.Size([*batch, self.n_continuous]))
        logits = [block.expand(*batch, block.shape[-1]) for block in self.logits]
        return MixedDistribution(continuous, logits, self.temperature)

    def _split(self, columns: Columns) -> tuple[Tensor, ...]:
        return columns.split([self.n_continuous, *self.categories], dim=-1)

    def _draw(self, logits: Tensor) -> Tensor:
        # In float32 at least: bfloat16 has 256 different uniform numbers.
        wide = torch.promote_types(logits.dtype, torch.float32)
        noisy = logits + gumbel(torch.rand(logits.shape, dtype=wide, device=logits.device))
        soft = (noisy / self.temperature).softmax(-1)
        # In this order the difference is exactly 0, and the draw exactly one-hot.
        return (one_hot(noisy) + (soft - soft.detach())).to(logits.dtype)


@register_kl(MixedDistribution, MixedDistribution)
def _kl(q: MixedDistribution, p: MixedDistribution) -> Codes:
    blocks = [
        (a.exp() * (a - b)).sum(-1, keepdim=True) for a, b in zip(q.logits, p.logits, strict=True)
    ]
    return torch.cat([kl_divergence(q.continuous, p.continuous), *blocks], dim=-1)


def gumbel(uniform: Tensor) -> Tensor:
    """Noise that makes a logit the largest as often as its category is probable.

    Args:
        uniform: numbers from [0, 1). With ``F.gumbel_softmax`` one of them could be infinite.
    """
    return -(-uniform.clamp(min=torch.finfo(uniform.dtype).tiny).log()).log()


def one_hot(logits: Tensor) -> Tensor:
    """1 in the column of the largest logit, 0 in the others."""
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
