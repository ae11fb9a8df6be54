"""Every data set that needs no published file keeps the contract."""

import numpy as np
import pytest
import torch

from disvae.data import (
    ColorSprites,
    CorrelatedFactors,
    FactorArray,
    ImageArray,
    ImageDataset,
    NoisySprites,
    RandomSubset,
    Scenes3D,
    Slice,
    Sprites,
    hold_out,
    random_subset,
    split,
    store,
)
from disvae.testing import check_dataset

HEARTS = Slice(Sprites(), {"shape": 2, "scale": 5, "orientation": 3})
IMAGES = np.random.default_rng(0).integers(256, size=(12, 3, 4, 5), dtype=np.uint8)

CONTRACT = {
    "sprites": Sprites,
    "small sprites": lambda: Sprites(size=32),
    "scenes": Scenes3D,
    "color": lambda: ColorSprites(Sprites()),
    "noisy": lambda: NoisySprites(Sprites(), seed=1),
    "slice": lambda: HEARTS,
    "subset": lambda: random_subset(Sprites(), 30),
    "subset_of_images": lambda: RandomSubset(ImageArray(IMAGES), 7),
    "array": lambda: ImageArray(IMAGES, labels=torch.arange(12)),
    "factors": lambda: FactorArray(IMAGES, torch.arange(12)[:, None], ("one",)),
    "stored": lambda: store(HEARTS, progress=False),
    "stored_images": lambda: store(ImageArray(IMAGES), progress=False),
    "part": lambda: split(HEARTS)[1],
    "part_of_images": lambda: split(ImageArray(IMAGES), (0.5, 0.5))[1],
    "held_out": lambda: hold_out(HEARTS, {"position_x": [3, 4]})[1],
    "correlated": lambda: CorrelatedFactors(HEARTS, [("position_x", "position_y")]),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_contract(name) -> None:
    check_dataset(CONTRACT[name]())


class Broken(ImageDataset):
    """Breaks one clause of the contract."""

    image_shape = (1, 2, 2)
    max_value = 255

    def __init__(self, how: str) -> None:
        self.how = how
        self.calls = 0

    def __len__(self) -> int:
        return 1 if self.how == "alone" else 5

    def images(self, indices):
        self.calls += 1
        indices = torch.as_tensor(indices)
        good = not indices.is_floating_point() and bool(((indices >= 0) & (indices < 5)).all())
        if self.how != "unchecked" and len(indices) and not good:
            raise ValueError("no such index")
        images = indices.long()[:, None, None, None].expand(-1, 1, 2, 2).to(torch.uint8)
        if self.how == "floats":
            return images.float()
        if self.how == "shape":
            return images[:, 0]
        if self.how == "state":
            return images + self.calls
        if self.how == "sorted":
            return images.sort(0).values
        return images


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("alone", "at least 2 images"),
        ("floats", "must be uint8"),
        ("shape", r"shape \(4, 2, 2\), not"),
        ("state", "gave other images"),
        ("sorted", "the order matters"),
        ("unchecked", r"indices \[5\] must raise a ValueError or TypeError"),
    ],
)
def test_contract_catches(how, message) -> None:
    with pytest.raises(AssertionError, match=message):
        check_dataset(Broken(how))


@pytest.mark.untyped
def test_contract_catches_factors_outside_of_their_space() -> None:
    class Outside(FactorArray):
        def factors(self, indices):
            return super().factors(indices) + 1

    with pytest.raises(AssertionError, match="lie outside of"):
        check_dataset(Outside(IMAGES, torch.arange(12)[:, None], ("one",)))
