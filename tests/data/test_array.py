import numpy as np
import pytest
import torch

from disvae.data import FactorArray, ImageArray

IMAGES = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)


def test_grey_and_colour() -> None:
    data = ImageArray(IMAGES, labels=[0, 1, 2, 3])
    assert data.image_shape == (1, 2, 3)
    assert data.max_value == 255
    assert data.images([3, 1])[:, 0].tolist() == IMAGES[[3, 1]].tolist()
    assert data[2][1] == 2
    assert data.labels([3, 0]).tolist() == [3, 0]
    colour = ImageArray(torch.zeros(5, 3, 8, 8, dtype=torch.uint8))
    assert colour.image_shape == (3, 8, 8)
    assert colour.max_value == 1
    assert colour[0][1].numel() == 0


def test_factors() -> None:
    table = [[0, 2], [1, 0], [0, 1], [1, 1]]
    data = FactorArray(IMAGES, table, names=("a", "b"))
    assert data.space.sizes == (2, 3)
    assert data.factors([3, 0]).tolist() == [[1, 1], [0, 2]]
    assert data[1][1].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": IMAGES.astype(float)}, "uint8 images"),
        ({"images": IMAGES[0]}, "uint8 images"),
        ({"images": IMAGES[:0]}, "uint8 images"),
        ({"images": IMAGES, "labels": [1, 2]}, "4 images, but 2 labels"),
        ({"images": IMAGES, "max_value": 9}, "above max_value=9"),
    ],
)
def test_bad_images(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        ImageArray(**arguments)


def test_bad_factors() -> None:
    with pytest.raises(ValueError, match="4 images, but 3 rows of factors"):
        FactorArray(IMAGES, [[0, 1]] * 3, names=("a", "b"))


@pytest.mark.untyped
def test_channels_are_first_or_declared_to_be_last() -> None:
    colour = np.arange(2 * 6 * 8 * 3, dtype=np.uint8).reshape(2, 6, 8, 3)
    with pytest.raises(ValueError, match='their channels are last, say layout="channels last"'):
        ImageArray(colour)
    data = ImageArray(colour, layout="channels last")
    assert data.image_shape == (3, 6, 8)
    assert data.images([1])[0].numpy().tolist() == colour[1].transpose(2, 0, 1).tolist()
    assert FactorArray(colour, [[0], [1]], ("a",), layout="channels last").image_shape == (3, 6, 8)
    with pytest.raises(ValueError, match="layout must be one of"):
        ImageArray(colour, layout="NHWC")  # type: ignore[arg-type]
    assert ImageArray(np.zeros((2, 4, 5, 3), np.uint8)).image_shape == (4, 5, 3)  # who knows


def test_no_labels() -> None:
    with pytest.raises(ValueError, match="no labels"):
        ImageArray(IMAGES).labels([0])
