"""The dimensions of the code: how much each says, of which factor, and what it does to images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.dimensions import COLLAPSED, KNOWN
from disvae.plots.report.sheets import Sheet, make_sheet
from disvae.plots.traversals import traverse, values_of


@dataclass(frozen=True)
class Dimension:
    """One dimension of the code.

    Attributes:
        number: which.
        name: what somebody called it; "" if nobody did.
        kl: its mean KL to the prior, in nats.
        factor: the factor that it knows most of, if it knows enough of any.
        share: what it knows of that factor, as a part of the factor's entropy.
        shares: the same of every factor, by name.
        values: what its traversal sets it to.
        categorical: whether these are numbers of categories.
        frames: its traversal: a row for each start, a column for each value.
        own: the code of each start in this dimension.
    """

    number: int
    name: str
    kl: float
    factor: str | None
    share: float
    shares: Mapping[str, float]
    values: list[float]
    categorical: bool
    frames: Sheet
    own: list[float]

    @property
    def collapsed(self) -> bool:
        """Whether the dimension says nothing of the image."""
        return self.kl <= COLLAPSED


def make_dimensions(
    model: LatentModel,
    starts: Float[Tensor, "starts channels height width"],
    kl: Float[Tensor, " latent_dim"],
    shares: Mapping[str, Sequence[float]],
    values: Sequence[float],
    called: Mapping[int, str],
) -> list[Dimension]:
    """Every dimension of a model, the most informative first.

    Args:
        model: the model.
        starts: the images to traverse from.
        kl: nats of each dimension.
        shares: what each dimension knows of each factor, by factor; perhaps empty.
        values: what traversals set a continuous dimension to.
        called: names of dimensions, as far as they have any.
    """
    frames = torch.stack([traverse(model, x, values).cpu() for x in starts], 1)
    with torch.no_grad():
        own = model.represent(starts.to(next(model.parameters()))).cpu()
    dimensions = []
    for j in kl.argsort(descending=True).tolist():
        known = {factor: row[j] for factor, row in shares.items()}
        best = max(known, key=lambda factor: known[factor], default=None)
        speaks = best is not None and known[best] > KNOWN and kl[j] > COLLAPSED
        named = best if speaks else None
        share = known[named] if named is not None else 0.0
        sheet, codes = make_sheet(frames[j]), own[:, j].tolist()
        size = model.sizes[j]
        dimensions.append(
            Dimension(
                number=j,
                name=called.get(j, ""),
                kl=float(kl[j]),
                factor=named,
                share=share,
                shares=known,
                values=values_of(size, values),
                categorical=size > 1,
                frames=sheet,
                own=codes,
            )
        )
    return dimensions
