import io

import pytest
import torch
from painted import PaintedImages, PaintedVAE, code_of, codes_shown, picture

from disvae import BurgessVAE
from disvae.plots import reconstruction_figure


def test_images_stand_above_their_reconstructions():
    model, x = BurgessVAE((3, 16, 16), latent_dim=3), torch.rand(4, 3, 16, 16)
    figure = reconstruction_figure(model, x)
    figure.savefig(io.BytesIO(), format="png")
    picture = torch.as_tensor(figure.axes[0].images[0].get_array().data).permute(2, 0, 1)
    column = slice(2 * 18 + 1, 3 * 18 - 1)
    assert torch.equal(picture[:, 1:17, column], x[2])
    torch.testing.assert_close(picture[:, 19:35, column], model.reconstruct(x)[2].detach())


def test_rows_with_the_loss_of_each_reconstruction():
    model, indices = PaintedVAE(), [3, 77, 50, 124]
    model.decoder.scale.data.fill_(0.5)  # so that reconstructions differ from images
    x = PaintedImages().floats(torch.tensor(indices))
    plain = codes_shown(picture(reconstruction_figure(model, x, columns=2)), rows=4, columns=2)
    images = torch.tensor([code_of(i) for i in indices]).float().view(2, 2, 3)
    torch.testing.assert_close(plain[0::2], images, atol=1e-5, rtol=0)
    torch.testing.assert_close(plain[1::2], images / 2, atol=1e-5, rtol=0)

    figure = reconstruction_figure(model, x, columns=2, show_loss=True)
    texts = [text.get_text() for text in figure.axes[0].texts]
    nats = [f"{v:.1f} nats" for v in model.likelihood.nll(x + (0.5 - x) / 2, x)]
    assert texts == ["", "", *nats[:2], "", "", *nats[2:]]


def test_rows_must_be_full():
    with pytest.raises(ValueError, match="full rows of 2 images, got 3 images"):
        reconstruction_figure(PaintedVAE(), torch.rand(3, 1, 2, 2), columns=2)
