"""VAEs of groups of images that share something: GVAE, ML-VAE, and the two that find out what."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.losses.base import (
    Autoencoder,
    Images,
    Loss,
    LossOutput,
    Step,
    UnsuitableError,
    check_images,
    local,
    mean_kl,
    need_normal,
    objective,
)
from disvae.losses.group_posterior import (
    Average,
    LastDimensions,
    Sharing,
    each_moment,
    gaussian_product,
    moment_average,
    share,
    similar_dimensions,
)
from disvae.schedules import Weight, at_step


class GroupLoss(Loss):
    """β-VAE of groups of images with one posterior in the dimensions that they share.

    Args:
        beta: weight of the KL.
        average: of the posteriors of a group.
        sharing: says in which dimensions it replaces them.
    """

    def __init__(self, beta: Weight, average: Average, sharing: Sharing) -> None:
        super().__init__()
        self.beta, self._average, self._sharing = beta, average, sharing

    def forward(self, model: Autoencoder, batch: Sequence[Images], step: Step = None) -> LossOutput:
        """Compute the loss.

        Args:
            model: the VAE to train.
            batch: two or more batches of images in [0, 1]; the first images of all are a group, so
                are the second ones, and so on.
            step: see :meth:`Loss.forward`.
        """
        x = one_batch(batch)
        model = local(model)  # the loss is a mean over groups: each process has its own
        n = len(batch)
        posterior = need_normal(model.encode(x), type(self).__name__)
        grouped = each_moment(posterior, lambda moment: moment.unflatten(0, (n, -1)))
        shared, terms = share(grouped, self._average, self._sharing)
        joint = each_moment(shared, lambda moment: moment.flatten(0, 1))
        reconstruction = model.likelihood.nll(model.decode(joint.rsample()), x).mean()
        kl = mean_kl(joint, model.prior)
        return objective(reconstruction, at_step(self.beta, step) * kl, {"kl": kl, **terms})


def one_batch(batch: Any) -> Float[Tensor, "images channels height width"]:
    """The images of a tuple of batches as one batch, the first batch first.

    Raises:
        UnsuitableError: not two batches of images at least.
        ValueError: their shapes differ, or what :func:`check_images` refuses.
    """
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        kind = f"{len(batch)} of them" if isinstance(batch, (tuple, list)) else "a single batch"
        raise UnsuitableError(
            f"expected a tuple of two or more batches of images, got {kind}: this loss learns from "
            "images that share something; train it on pairs, such as those of ChangedFactorPairs, "
            "FactorPairs or LabelPairs of disvae.data (--source on the command line)"
        )
    shapes = {tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in batch}
    if len(shapes) > 1:
        raise ValueError(f"the batches of a tuple must have the same shape, got {shapes}")
    x = torch.cat(list(batch)) if isinstance(batch[0], Tensor) else batch[0]
    check_images(x)
    return x


class GVAELoss(GroupLoss):
    r"""GVAE: images of a group share known dimensions, by the average of their posteriors' moments.

    .. math::
        \frac{1}{n} \sum_i E_{\tilde q_i}[-\log p(x_i|z)] + \beta\, KL(\tilde q_i \| p(z)), \quad
        \tilde\mu_{ij} = \frac{1}{n} \sum_k \mu_{kj}, \;
        \tilde\sigma^2_{ij} = \frac{1}{n} \sum_k \sigma^2_{kj} \text{ in the shared dimensions } j

    in nats per image, for the n images of a group; elsewhere an image keeps its own posterior. What
    the images have in common can only go through the shared dimensions, which vary no more within a
    group, and what sets them apart only through the others. A group's posterior counts in the KL of
    each of its images, and each draws a code of its own from it, as in the code of Locatello et al.
    Terms: ``objective, reconstruction, kl``, the latter of the averaged posteriors.

    Args:
        specified: how many dimensions are shared: the last ones of the code.
        beta: weight of the KL; 1 in the paper.

    Raises:
        ValueError: ``specified`` is less than 1, or later more than the code's dimensions.
        UnsuitableError: later, a batch that is no tuple of batches.

    Reference:
        Group-based Learning of Disentangled Representations with Generalizability for Novel
        Contents, Hosoya 2019, https://arxiv.org/abs/1809.02383

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, pair = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(2, 8, 1, 32, 32)
        >>> GVAELoss(specified=2)(model, tuple(pair)).loss.backward()
    """

    def __init__(self, specified: int, beta: Weight = 1.0) -> None:
        super().__init__(beta, moment_average, LastDimensions(specified))
        self.specified = specified


class MLVAELoss(GroupLoss):
    r"""ML-VAE: images of a group share known dimensions, by the product of their posteriors.

    .. math::
        \tilde q_{ij}(z_j) \propto \prod_k q(z_j|x_k): \quad
        \tilde\sigma^{-2}_{ij} = \sum_k \sigma^{-2}_{kj}, \;
        \tilde\mu_{ij} = \tilde\sigma^2_{ij} \sum_k \sigma^{-2}_{kj} \mu_{kj}
        \text{ in the shared dimensions } j

    in the objective of :class:`GVAELoss`. Images that are sure of a dimension say more of it, and
    the more images, the surer all are. That is the paper's product; disentanglement_lib multiplies
    its variance by the 2 images of a pair, so that two equal posteriors stay what they are: no
    density product, and its evidence would not grow with the group. The paper counts the KL of a
    group's part once per group; here it counts in each image, as it does for Locatello et al., so
    that β weighs all dimensions alike. Terms: ``objective, reconstruction, kl``.

    Args:
        specified: how many dimensions are shared: the last ones of the code.
        beta: weight of the KL; 1 in the paper.

    Raises:
        ValueError: ``specified`` is less than 1, or later more than the code's dimensions.
        UnsuitableError: later, a batch that is no tuple of batches.

    Reference:
        Multi-Level Variational Autoencoder: Learning Disentangled Representations from Grouped
        Observations, Bouchacourt et al. 2018, https://arxiv.org/abs/1705.08841

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, group = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(3, 8, 1, 32, 32)
        >>> MLVAELoss(specified=2)(model, tuple(group)).loss.backward()
    """

    def __init__(self, specified: int, beta: Weight = 1.0) -> None:
        super().__init__(beta, gaussian_product, LastDimensions(specified))
        self.specified = specified


class AdaGVAELoss(GroupLoss):
    r"""Ada-GVAE: :class:`GVAELoss` of pairs, which finds out per pair which dimensions they share.

    .. math::
        j \text{ is shared if } \delta_j < \frac{1}{2} (\min_k \delta_k + \max_k \delta_k), \quad
        \delta_j = KL(q(z_j|x_1) \| q(z_j|x_2)) + KL(q(z_j|x_2) \| q(z_j|x_1))

    Two images that differ in few factors differ most in the dimensions that encode them. No label
    says which factors these are, nor how many. The paper's δ is the first of the two KLs; their sum
    makes a pair the same in either order. The choice has no gradient. Terms: ``objective,
    reconstruction, kl, shared_dimensions`` (their mean number).

    Args:
        beta: weight of the KL; the paper searches from 1 to 16.

    Raises:
        UnsuitableError: later, a batch that is no tuple of batches.
        ValueError: later, more than two of them.

    Reference:
        Weakly-Supervised Disentanglement Without Compromises, Locatello et al. 2020,
        https://arxiv.org/abs/2002.02886

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, pair = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(2, 8, 1, 32, 32)
        >>> "shared_dimensions" in AdaGVAELoss()(model, tuple(pair)).terms
        True
    """

    def __init__(self, beta: Weight = 1.0) -> None:
        super().__init__(beta, moment_average, similar_dimensions)


class AdaMLVAELoss(GroupLoss):
    r"""Ada-ML-VAE: :class:`MLVAELoss` of pairs, which finds out which dimensions they share.

    It finds them as :class:`AdaGVAELoss` does, and multiplies the posteriors there. Terms:
    ``objective, reconstruction, kl, shared_dimensions``.

    Args:
        beta: weight of the KL; the paper searches from 1 to 16.

    Raises:
        UnsuitableError: later, a batch that is no tuple of batches.
        ValueError: later, more than two of them.

    Reference:
        Weakly-Supervised Disentanglement Without Compromises, Locatello et al. 2020,
        https://arxiv.org/abs/2002.02886

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, pair = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(2, 8, 1, 32, 32)
        >>> AdaMLVAELoss()(model, tuple(pair)).loss.backward()
    """

    def __init__(self, beta: Weight = 1.0) -> None:
        super().__init__(beta, gaussian_product, similar_dimensions)
