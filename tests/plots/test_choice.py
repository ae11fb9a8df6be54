import pytest
from painted import PaintedImages

from disvae.plots import choose_images


def test_the_chosen_come_first_and_the_seed_draws_the_others():
    data = PaintedImages()
    few = choose_images(data, 6, images=[7, 100], seed=3).tolist()
    many = choose_images(data, 125, images=[7, 100], seed=3).tolist()
    assert few[:2] == [7, 100]
    assert many[:6] == few  # whatever their number
    assert sorted(many) == list(range(125))  # each once
    assert choose_images(data, 6, images=[7, 100], seed=4).tolist()[2:] != few[2:]
    assert choose_images(data, 1, images=[7, 100]).tolist() == [7]


@pytest.mark.parametrize(
    ("n", "images", "message"),
    [
        (1, [125], "images must be from 0 to 124, got 125"),
        (1, [3, -1], "got -1"),
        (126, [], "126 images do not fit a data set of 125"),
        (0, [], "at least 1 image"),
    ],
)
def test_what_the_data_does_not_have_is_refused(n, images, message):
    with pytest.raises(ValueError, match=message):
        choose_images(PaintedImages(), n, images)
