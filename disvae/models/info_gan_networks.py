"""The three InfoGANs of FactorVAE's paper, tables 4 to 6 of its appendix H.

The tables leave out the kernels, the slopes and the sizes that follow from others. Filled in from
Chen et al. 2016, whose networks they are or follow: kernels of size 4, leaky ReLU of slope 0.1 (the
paper's appendix; its code has 0.01), normalisation before the activation, and the generator's
second fully connected layer, which has the size of the maps that it becomes. A convolution of
stride 1 keeps the size of its maps. The first weights are those of :mod:`disvae.models.layers`.
"""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.info_gan import InfoGAN, check_codes
from disvae.models.layers import ImageShape, check_image_shape, check_shape, draw_weights
from disvae.models.upconvolution import Upconvolution

# Of the critic: InfoGAN's is "batch"; InfoWGAN-GP's is "layer", in its fully connected layer alone.
Normalization = Literal["batch", "layer"]

_Leaky = partial(nn.LeakyReLU, 0.1)
_RECOGNITION = 128  # units of the hidden layer that only Q has


class _Table(NamedTuple):
    """What a table says: (channels, stride) of each convolution, units of fully connected layers.

    Attributes:
        convolutions: the critic's.
        hidden: units of the layer after them, and of the generator's first one.
        first: channels of the maps that the generator begins with.
        upconvolutions: the generator's, but for the last, to the image.
        activation: between these.
    """

    convolutions: Sequence[tuple[int, int]]
    hidden: int
    first: int
    upconvolutions: Sequence[tuple[int, int]]
    activation: Any

    @property
    def factor(self) -> int:
        """How much smaller the smallest maps are than the image."""
        return math.prod(stride for _, stride in self.convolutions)


_MNIST = _Table([(64, 2), (128, 2)], 1024, 128, [(64, 2)], nn.ReLU)
_SHAPES = _Table([(32, 2), (32, 2), (64, 2), (64, 2)], 128, 64, [(64, 2), (32, 2), (32, 2)], _Leaky)
_LARGE = _Table(
    [(64, 2), (128, 2), (256, 2), (256, 1), (256, 1)],
    1024,
    256,
    [(256, 1), (256, 1), (128, 2), (64, 2)],
    _Leaky,
)


class InfoGANMNIST(InfoGAN):
    """The InfoGAN of MNIST: ten categories, two continuous codes, 62 noise variables.

    Critic: convolutions of 64 and 128 channels with stride 2, a fully connected layer of 1024
    units; Q adds one of 128. Generator: 1024 units, maps of 128 channels, upconvolutions of 64
    channels and the image's. Batch normalisation everywhere but in the critic's first convolution
    and the last layers.

    Args:
        image_shape: (channels, height, width), sides that are multiples of 4.
        n_continuous: number of continuous codes.
        categories: of each categorical code.
        n_noise: dimensions of the noise.
        normalization: of the critic. "batch" is InfoGAN's. "layer" is InfoWGAN-GP's: layer
            normalisation in the fully connected layer and none in the convolutions, since the
            gradient penalty is of single images, and batch normalisation would mix them.
        std: Q's standard deviation of continuous codes, 1.0 in the authors' code; learned if None.
        likelihood: p(x|c, ε), whose mean is the generated image.

    Raises:
        ValueError: an image shape that cannot be halved twice, or codes that cannot be.

    Reference:
        InfoGAN, Chen et al. 2016, https://arxiv.org/abs/1606.03657; table 4 of Disentangling by
        Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983.

    Example:
        >>> model = InfoGANMNIST(image_shape=(1, 28, 28))
        >>> sum(p.numel() for p in model.parameters())
        13344912
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_continuous: int = 2,
        categories: Sequence[int] = (10,),
        n_noise: int = 62,
        normalization: Normalization = "batch",
        std: float | None = None,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        codes = _Codes(n_continuous, tuple(categories), n_noise, std)
        networks = _networks(_MNIST, image_shape, codes, normalization)
        super().__init__(*networks, *codes, likelihood)


class InfoGAN2DShapes(InfoGAN):
    """The InfoGAN of 2D Shapes (dSprites): three categories, four continuous codes, five noises.

    The size of the VAEs that it is compared with. Critic: convolutions of 32, 32, 64 and 64
    channels with stride 2, a fully connected layer of 128 units; Q adds one of 128. Generator: 128
    units, maps of 64 channels, upconvolutions of 64, 32 and 32 channels and the image's.

    Args:
        image_shape: (channels, height, width), sides that are multiples of 16.
        n_continuous: see :class:`InfoGANMNIST`.
        categories: see there.
        n_noise: see there.
        normalization: see there.
        std: see there.
        likelihood: see there.

    Raises:
        ValueError: an image shape that cannot be halved four times, or codes that cannot be.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, table 5.

    Example:
        >>> model = InfoGAN2DShapes(image_shape=(1, 64, 64), normalization="layer")
        >>> sum(p.numel() for p in model.parameters())
        516813
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_continuous: int = 4,
        categories: Sequence[int] = (3,),
        n_noise: int = 5,
        normalization: Normalization = "batch",
        std: float | None = None,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        codes = _Codes(n_continuous, tuple(categories), n_noise, std)
        networks = _networks(_SHAPES, image_shape, codes, normalization)
        super().__init__(*networks, *codes, likelihood)


class InfoGANLarge(InfoGAN):
    """The bigger InfoGAN of 2D Shapes, the one of 3D Chairs in Chen et al.: 128 noise variables.

    Critic: convolutions of 64, 128 and 256 channels with stride 2, two of 256 with stride 1, a
    fully connected layer of 1024 units; Q adds one of 128. Generator: 1024 units, maps of 256
    channels, two upconvolutions of 256 channels with stride 1, then 128 and 64 with stride 2 and
    the image's. It scored no better than the small one.

    Args:
        image_shape: (channels, height, width), sides that are multiples of 8.
        n_continuous: see :class:`InfoGANMNIST`.
        categories: see there.
        n_noise: see there.
        normalization: see there.
        std: see there.
        likelihood: see there.

    Raises:
        ValueError: an image shape that cannot be halved three times, or codes that cannot be.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, table 6.

    Example:
        >>> model = InfoGANLarge(image_shape=(1, 64, 64))
        >>> sum(p.numel() for p in model.parameters())
        39393805
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_continuous: int = 4,
        categories: Sequence[int] = (3,),
        n_noise: int = 128,
        normalization: Normalization = "batch",
        std: float | None = None,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        codes = _Codes(n_continuous, tuple(categories), n_noise, std)
        networks = _networks(_LARGE, image_shape, codes, normalization)
        super().__init__(*networks, *codes, likelihood)


class _Codes(NamedTuple):
    """In the order of :class:`InfoGAN`'s arguments."""

    n_continuous: int
    categories: tuple[int, ...]
    n_noise: int
    std: float | None


class _Networks(NamedTuple):
    """In the order of :class:`InfoGAN`'s arguments."""

    generator: nn.Module
    trunk: nn.Module
    critic: nn.Module
    recognition: nn.Module


def _networks(
    table: _Table, image_shape: ImageShape, codes: _Codes, normalization: Normalization
) -> _Networks:
    check_codes(codes.n_continuous, codes.categories, codes.n_noise)
    check_image_shape(image_shape)
    if any(side % table.factor for side in image_shape[1:]):
        raise ValueError(
            f"this network halves an image to 1/{table.factor} of its sides: expected multiples of "
            f"{table.factor}, got {image_shape[1]} x {image_shape[2]}"
        )
    if normalization not in ("batch", "layer"):
        raise ValueError(f"normalization must be batch or layer, got {normalization!r}")
    n_columns = codes.n_continuous + sum(codes.categories)
    n_numbers = n_columns + (codes.n_continuous if codes.std is None else 0)
    networks = _Networks(
        _generator(table, image_shape, n_columns + codes.n_noise),
        _Trunk(table, image_shape, normalization),
        nn.Linear(table.hidden, 1),
        nn.Sequential(
            *_dense(table.hidden, _RECOGNITION, nn.BatchNorm1d), nn.Linear(_RECOGNITION, n_numbers)
        ),
    )
    for network in networks:
        network.apply(draw_weights).to(memory_format=torch.channels_last)  # faster on a CPU
    return networks


class _Trunk(nn.Sequential):
    """What critic and Q share: convolutions, and a fully connected layer."""

    def __init__(self, table: _Table, image_shape: ImageShape, normalization: str) -> None:
        channels = [image_shape[0], *(channels for channels, _ in table.convolutions)]
        layers: list[nn.Module] = []
        for (i, o), (_, stride) in zip(pairwise(channels), table.convolutions, strict=True):
            layers.append(_convolution(i, o, stride))
            if normalization == "batch" and len(layers) > 1:
                layers.append(nn.BatchNorm2d(o))
            layers.append(_Leaky())
        n_features = channels[-1] * math.prod(side // table.factor for side in image_shape[1:])
        normalize = nn.BatchNorm1d if normalization == "batch" else nn.LayerNorm
        super().__init__(*layers, nn.Flatten(), *_dense(n_features, table.hidden, normalize))
        self.image_shape = image_shape

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n"]:
        """The features of each image."""
        check_shape(x, self.image_shape)
        return super().forward(x.contiguous(memory_format=torch.channels_last))


def _generator(table: _Table, image_shape: ImageShape, n_inputs: int) -> nn.Sequential:
    height, width = (side // table.factor for side in image_shape[1:])
    layers = [
        *_dense(n_inputs, table.hidden, nn.BatchNorm1d, nn.ReLU),
        *_dense(table.hidden, table.first * height * width, nn.BatchNorm1d, nn.ReLU),
        nn.Unflatten(1, (table.first, height, width)),
    ]
    channels = [table.first, *(channels for channels, _ in table.upconvolutions)]
    for (i, o), (_, stride) in zip(pairwise(channels), table.upconvolutions, strict=True):
        # Of stride 1 it is a convolution, whose weights are turned over.
        layer = Upconvolution(i, o) if stride == 2 else _convolution(i, o, stride)
        layers += [layer, nn.BatchNorm2d(o), table.activation()]
    return nn.Sequential(*layers, Upconvolution(channels[-1], image_shape[0]))


def _convolution(i: int, o: int, stride: int) -> nn.Module:
    if stride == 1:  # three zeros in all, so that the size stays
        return nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(i, o, kernel_size=4))
    return nn.Conv2d(i, o, kernel_size=4, stride=stride, padding=1)


def _dense(i: int, o: int, normalize: Any, activation: Any = _Leaky) -> list[nn.Module]:
    return [nn.Linear(i, o), normalize(o), activation()]
