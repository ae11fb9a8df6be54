import io

import torch

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
