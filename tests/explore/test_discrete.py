"""The explorer's sliders of categorical dimensions."""

import pytest
import torch

from disvae.data import FactorArray
from disvae.explore.explorer import explore, interpolate
from disvae.explore.page import Page
from disvae.models import BurgessMixedVAE, BurgessQLAE


@pytest.fixture(
    params=[
        lambda: BurgessMixedVAE((1, 16, 16), n_continuous=2, categories=(3,)),
        lambda: BurgessQLAE((1, 16, 16), latent_dim=3, n_values=4),
    ],
    ids=["mixed", "qlae"],
)
def page(request, tmp_path) -> Page:
    torch.manual_seed(0)
    images = torch.randint(2, (12, 1, 16, 16), dtype=torch.uint8)
    data = FactorArray(images, torch.arange(12)[:, None] % 3, ("shape",))
    return Page(explore(request.param().eval(), data), tmp_path)


def test_sliders_go_from_category_to_category(page) -> None:
    explorer = page.explorer
    start = explorer.start_at(3)
    sliders = dict(zip(explorer.order, page.sliders(start.code), strict=True))
    for j, size in enumerate(explorer.model.sizes):
        if size == 1:
            assert sliders[j]["maximum"] == -sliders[j]["minimum"] >= 3
            assert "step" not in sliders[j]
        else:
            ends = (sliders[j]["minimum"], sliders[j]["maximum"], sliders[j]["step"])
            assert ends == (0, size - 1, 1)
            assert sliders[j]["value"] in range(size)
    assert explorer.decode(start.code).equal(start.reconstruction)
    assert page.opened()


def test_between_two_pins_a_category_changes_over_halfway(page) -> None:
    model = page.explorer.model
    a = tuple(0.0 for _ in model.sizes)
    b = tuple(float(max(size - 1, 1)) for size in model.sizes)
    for t, share in ((0.3, 0), (0.7, 1)):
        _, *sliders = page.between(a, b, t)
        values = dict(zip(page.explorer.order, (s["value"] for s in sliders), strict=True))
        for j, size in enumerate(model.sizes):
            assert values[j] == pytest.approx(t if size == 1 else share * (size - 1))
    assert interpolate((0.0, 0.0), (2.0, 2.0), 0.25) == (0.5, 0.5)
    assert interpolate((0.0, 0.0), (2.0, 2.0), 0.25, discrete=[1]) == (0.5, 0.0)
