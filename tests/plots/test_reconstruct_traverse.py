import io

import pytest
import torch
from painted import PaintedImages, PaintedVAE, code_of, codes_shown, picture

from disvae.plots import describe_dimensions, reconstruct_traverse_figure

INDICES = [3, 77, 124]
VALUES = [-2.0, 0.0, 2.0]


def draw(**options):
    model, data = PaintedVAE(), PaintedImages()
    model.decoder.scale.data.fill_(0.5)  # so that reconstructions differ from images
    x = data.floats(torch.tensor(INDICES))
    figure = reconstruct_traverse_figure(
        model, x, describe_dimensions(model, data), VALUES, **options
    )
    figure.savefig(io.BytesIO(), format="png")
    return figure


@pytest.mark.parametrize("posterior", [False, True])
def test_images_then_reconstructions_then_traversals(posterior):
    figure = draw(rows=2, posterior=posterior)
    codes = codes_shown(picture(figure), rows=4, columns=3)
    images = torch.tensor([code_of(i) for i in INDICES]).float()
    torch.testing.assert_close(codes[0], images, atol=1e-5, rtol=0)
    torch.testing.assert_close(codes[1], images / 2, atol=1e-5, rtol=0)
    for row, j in enumerate([2, 1]):
        expected = (images[0] if posterior else 0 * images[0]).repeat(3, 1)
        expected[:, j] = torch.tensor(VALUES)
        torch.testing.assert_close(codes[2 + row], expected / 2, atol=1e-5, rtol=0)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["image", "reconstruction"]
    assert [label.splitlines()[0] for label in labels[2:]] == ["dimension 2", "dimension 1"]


def test_the_loss_is_the_mean_of_the_reconstructions():
    label = draw(show_loss=True).axes[0].get_yticklabels()[1].get_text()
    squares = torch.tensor([code_of(i) for i in INDICES]).float().div(20).square().sum(1)
    constant = 4 * 0.5 * torch.log(torch.tensor(2 * torch.pi))
    variance = PaintedVAE().likelihood.std ** 2
    expected = (squares / (2 * variance) + constant + 2 * torch.tensor(variance).log()).mean()
    assert label == f"reconstruction\n{expected:.1f} nats"


def test_there_is_an_image_for_each_value():
    model, x = PaintedVAE(), PaintedImages().floats(torch.arange(3))
    known = describe_dimensions(model, PaintedImages())
    with pytest.raises(ValueError, match="expected 2 images, one for each value, got 3"):
        reconstruct_traverse_figure(model, x, known, [0.0, 1.0])
