"""The InfoGAN: a generator whose codes an encoder finds again in its images."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Normal, Uniform

from disvae.divergence.mixed import MixedDistribution
from disvae.divergence.parameters import draw
from disvae.images import check_images
from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.latent import Codes, Columns, Images, LatentModel
from disvae.models.mixed import as_columns

Noise = Float[Tensor, "batch n_noise"]
Features = Float[Tensor, "batch features"]


class InfoGAN(LatentModel):
    """A generator G(c, ε) of images, a critic of them, and an encoder Q(c|x) of the codes c.

    The code has continuous dimensions, uniform on (-1, 1), and categorical ones, uniform too. The
    noise ε, uniform on (-1, 1) as in the authors' code, holds what the code leaves open: it is no
    part of the code and no encoder finds it. :meth:`sample` draws it. :meth:`decode` holds it fixed
    at one draw, so that a traversal shows the code alone; at a draw and not at zero, since in many
    dimensions the generator never saw anything near zero. Hence :meth:`reconstruct` gives an image
    with the same code, not the same image.

    Q is a Gaussian for continuous codes and a softmax for categorical ones. It shares its trunk
    with the critic. The paper learns the Gaussian's variance, its code fixes it at 1; here it is
    learned unless ``std`` is given.

    Args:
        generator: a module from (batch, columns + n_noise), the continuous codes, a one-hot block
            for each categorical one and the noise, to the likelihood's parameters; logits for a
            Bernoulli, without a sigmoid.
        trunk: a module from images to features (batch, features).
        critic: a module from features to one number, (batch, 1): the logit of "real" or a value.
        recognition: a module from features to Q's numbers: the means, the log-variances if they are
            learned, the logits of each categorical code.
        n_continuous: number of continuous codes.
        categories: of each categorical code.
        n_noise: dimensions of the noise.
        std: Q's standard deviation of continuous codes; learned if None.
        likelihood: p(x|c, ε), whose mean is the generated image.

    Raises:
        ValueError: no code, a negative number of anything, a standard deviation that is not
            positive, or later recognition of another size.

    Reference:
        InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
        Adversarial Nets, Chen et al. 2016, https://arxiv.org/abs/1606.03657

    Example:
        >>> from disvae.models import InfoGANMNIST
        >>> model = InfoGANMNIST((1, 28, 28)).eval()
        >>> model.represent(model.sample(5)).shape  # two continuous codes and a category
        torch.Size([5, 3])
    """

    noise: Tensor
    _ones: Tensor

    def __init__(
        self,
        generator: nn.Module,
        trunk: nn.Module,
        critic: nn.Module,
        recognition: nn.Module,
        n_continuous: int,
        categories: Sequence[int],
        n_noise: int,
        std: float | None = None,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        check_codes(n_continuous, categories, n_noise)
        if std is not None and not std > 0:
            raise ValueError(f"std must be positive, or None (null) to be learned, got {std}")
        super().__init__()
        self.generator, self.trunk = generator, trunk
        self.critic, self.recognition = critic, recognition
        self.n_continuous, self.categories = n_continuous, tuple(categories)
        self.latent_dim = n_continuous + len(self.categories)
        self.n_noise, self.std, self.likelihood = n_noise, std, likelihood
        # Only so that the prior follows the model to its device and type.
        self.register_buffer("_ones", torch.ones(n_continuous), persistent=False)
        # Kept with the weights: what a code looks like must not depend on the machine.
        draw = torch.rand(n_noise, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", 2 * draw - 1)

    @property
    def prior(self) -> MixedDistribution:
        """p(c), uniform in each dimension."""
        continuous = Uniform(-self._ones, self._ones, validate_args=False)
        return MixedDistribution(continuous, [self._ones.new_zeros(n) for n in self.categories])

    def encode(self, x: Images) -> MixedDistribution:
        """Q(c|x), of shape (batch, latent_dim)."""
        check_images(x)
        return self.recognise(self.trunk(x))

    def recognise(self, features: Features) -> MixedDistribution:
        """Q(c|x) of the trunk's features of some images, in the prior's precision."""
        numbers = self.recognition(features).to(self._ones.dtype)
        moments = self.n_continuous if self.std is not None else 2 * self.n_continuous
        sizes = [moments, *self.categories]
        if numbers.shape[1:] != (sum(sizes),):
            raise ValueError(
                f"the recognition module must give (batch, {sum(sizes)}) numbers, {moments} for "
                f"continuous codes and {self.categories} logits, got shape {tuple(numbers.shape)}"
            )
        first, *logits = numbers.split(sizes, dim=1)
        if self.std is not None:
            mean, std = first, torch.full_like(first, self.std)
        else:
            mean, log_var = first.chunk(2, dim=1)
            std = (0.5 * log_var).exp()
        return MixedDistribution(Normal(mean, std, validate_args=False), logits)

    def judge(self, features: Features) -> Float[Tensor, " batch"]:
        """The critic's number for each image, from the trunk's features, in full precision."""
        return self.critic(features)[:, 0].to(self._ones.dtype)

    def generate(self, columns: Columns, noise: Noise) -> Images:
        """The likelihood's parameters at codes in columns and noise."""
        return self.generator(torch.cat([columns, noise], dim=1))

    def decode(self, z: Codes | Columns) -> Images:
        """The likelihood's parameters at ``z``, with the noise held at :attr:`noise`.

        Args:
            z: codes, or columns, as they are drawn: told by their width.
        """
        return self.generate(as_columns(self, z), self.noise.expand(z.shape[0], -1))

    def represent(self, x: Images) -> Codes:
        """The representation of each image: Q's means, and its most probable categories."""
        return self.encode(x).loc

    def draw(self, n: int, generator: torch.Generator | None = None) -> Codes:
        """``n`` codes drawn from the prior; see :meth:`LatentModel.draw`."""
        return self.prior.codes(draw(self.prior, n, generator))

    def images_of(self, z: Codes, generator: torch.Generator | None = None) -> Images:
        """The mean images at ``z``, each with noise of its own; see :meth:`LatentModel.images_of`.

        Args:
            z: the codes.
            generator: source of the noise, on the CPU; PyTorch's global one if None.
        """
        noise = 2 * torch.rand(len(z), self.n_noise, generator=generator) - 1
        return self.likelihood.mean(self.generate(as_columns(self, z), noise.to(self._ones)))


def check_codes(n_continuous: int, categories: Sequence[int], n_noise: int) -> None:
    """Refuse codes that cannot be.

    Raises:
        ValueError: no code at all, a negative number, or fewer than two categories.
    """
    if n_continuous < 0 or n_noise < 0 or n_continuous + len(categories) == 0:
        raise ValueError(
            "expected at least one code, continuous or categorical, and no negative number, got "
            f"n_continuous={n_continuous}, categories={tuple(categories)}, n_noise={n_noise}"
        )
    if any(n < 2 for n in categories):
        raise ValueError(f"expected at least 2 categories each, got {tuple(categories)}")
