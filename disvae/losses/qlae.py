"""The loss of the quantised-latent autoencoder."""

from typing import Any

from torch import nn

from disvae.losses.base import (
    Images,
    Loss,
    LossOutput,
    Step,
    UnsuitableError,
    check_images,
    local,
    objective,
)
from disvae.models import QLAEOutput
from disvae.schedules import Weight, at_step


class QLAELoss(Loss):
    r"""QLAE: reconstruction, and encoder and codebook drawn towards each other; no KL.

    .. math::
        -\log p(x|z) + P \Big( \lambda_q\, \frac{1}{D} \sum_j (sg[f_j(x)] - z_j)^2
        + \lambda_c\, \frac{1}{D} \sum_j (f_j(x) - sg[z_j])^2 \Big)

    with f(x) the encoder's output, z the nearest values of the codebook and sg[·] held constant:
    the first distance moves the codebook, the second the encoder. The authors average the
    reconstruction over the P pixel values; here it is summed, like everywhere in this library, so
    that P stands before the distances. The rest of the method is a heavy weight decay, decoupled
    from Adam's steps as in AdamW: of all weights, but not of biases and of the codebook; see
    :meth:`parameter_groups`. Terms: ``objective, reconstruction, quantization, commitment`` (the
    mean squared distances, which are one number with two gradients).

    Args:
        quantization: λ_q, weight of the codebook's way to the encoder.
        commitment: λ_c, weight of the encoder's way to the codebook.
        weight_decay: of the weights; a part of the learning rate is taken off at each step.

    Raises:
        UnsuitableError: later, a model that does not quantise.

    Reference:
        Disentanglement via Latent Quantization, Hsu et al. 2023, https://arxiv.org/abs/2305.18378,
        and https://github.com/kylehkhsu/latent_quantization, which has 0.001 in place of 0.01 in
        its configuration for dSprites.

    Example:
        >>> import torch
        >>> from disvae.models import BurgessQLAE
        >>> model, x = BurgessQLAE((1, 32, 32)), torch.rand(8, 1, 32, 32)
        >>> criterion = QLAELoss()
        >>> criterion(model, x).loss.backward()
        >>> [group["weight_decay"] for group in criterion.parameter_groups(model, lr=1e-3)]
        [0.1, 0.0]
    """

    def __init__(
        self, quantization: Weight = 0.01, commitment: Weight = 0.01, weight_decay: float = 0.1
    ) -> None:
        super().__init__()
        if weight_decay < 0:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay}")
        self.quantization, self.commitment = quantization, commitment
        self.weight_decay = weight_decay

    def forward(self, model: Any, batch: Images, step: Step = None) -> LossOutput:
        """Compute the loss.

        Args:
            model: a :class:`disvae.models.QLAE`.
            batch: images (batch, C, H, W) in [0, 1].
            step: see :meth:`Loss.forward`.
        """
        check_images(batch)
        output = local(model)(batch)
        if len(output) != len(QLAEOutput._fields):
            raise UnsuitableError(
                f"QLAELoss needs a model that quantises, such as QLAE, got the "
                f"{type(output).__name__} of another"
            )
        _, _, parameters, encoded, values = output
        reconstruction = model.likelihood.nll(parameters, batch).mean()
        quantization = (encoded.detach() - values).square().mean()
        commitment = (encoded - values.detach()).square().mean()
        distance = at_step(self.quantization, step) * quantization
        distance = distance + at_step(self.commitment, step) * commitment
        terms = {"quantization": quantization, "commitment": commitment}
        return objective(reconstruction, batch[0].numel() * distance, terms)

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """The weights, which decay, and the biases and the codebook, which do not.

        They are meant for ``torch.optim.AdamW(groups, weight_decay=0.0)``, the trainer's optimiser.

        Args:
            model: the model to train.
            lr: its learning rate.
        """
        named = list(model.named_parameters())
        weights = [p for name, p in named if name.rpartition(".")[2] == "weight"]
        others = [p for name, p in named if name.rpartition(".")[2] != "weight"]
        groups = ((weights, self.weight_decay), (others, 0.0))
        return [{"params": p, "lr": lr, "weight_decay": decay} for p, decay in groups if p]
