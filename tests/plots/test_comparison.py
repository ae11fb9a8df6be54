import numpy as np
import pytest
import torch

from disvae import BurgessVAE
from disvae.plots.comparison import comparison_figure
from disvae.plots.dimensions import Dimensions
from disvae.plots.grid import image_grid
from disvae.plots.traversals import traverse

VALUES = (-1.0, 0.0, 1.0)


def test_each_column_shows_its_own_model_by_falling_kl() -> None:
    x = torch.rand(1, 16, 16)
    models = {name: BurgessVAE((1, 16, 16), latent_dim=3) for name in ("first", "second")}
    known = {
        "first": Dimensions(torch.tensor([0.1, 2.0, 1.0]), ["", "scale", ""]),
        "second": Dimensions(torch.tensor([3.0, 0.0, 1.0]), ["position x", "", ""]),
    }
    figure = comparison_figure(
        {name: (model, known[name]) for name, model in models.items()}, x, rows=2, values=VALUES
    )
    for axes, (name, model), order in zip(
        figure.axes, models.items(), ([1, 2], [0, 2]), strict=True
    ):
        assert axes.get_title() == name
        expected = image_grid(traverse(model, x, VALUES)[order])
        np.testing.assert_allclose(axes.images[0].get_array(), expected.numpy(), atol=1e-5)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["scale\n2.00 nats", "dimension 2\n1.00 nats"]


def test_no_model_is_refused() -> None:
    with pytest.raises(ValueError, match="no model to draw"):
        comparison_figure({}, torch.rand(1, 16, 16))
