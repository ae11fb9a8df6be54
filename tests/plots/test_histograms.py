import numpy as np
import pytest
import torch
from matplotlib.text import Text
from torch.distributions import Normal, Uniform

from disvae.plots import histogram_figure
from disvae.plots.style import FAINT

EDGES = np.linspace(-4, 4, 41)


def make_posterior(n: int = 400) -> Normal:
    """Dimension 1 tells the images apart, 0 hardly, and 2 has collapsed."""
    generator = torch.Generator().manual_seed(0)
    loc = torch.randn(n, 3, generator=generator) * torch.tensor([0.2, 0.9, 0.0])
    return Normal(loc, torch.tensor([0.9, 0.2, 1.0]).expand(n, 3))


def drawn(q: Normal, seed: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(q.loc.shape, generator=generator, dtype=torch.float64)
    return (q.loc.double() + q.scale.double() * noise).numpy()


def heights(axes) -> list[float]:
    """Of the bars; the histogram is one outline or one patch a bar."""
    return [patch.get_height() for patch in axes.patches]


def test_bars_are_numpys_histogram_of_the_codes_and_the_line_is_the_prior():
    q = make_posterior()
    figure = histogram_figure(q, dimensions=[0, 1, 2], seed=3)
    z = drawn(q, 3)
    for j, axes in enumerate(figure.axes):
        expected, _ = np.histogram(z[:, j], bins=EDGES, density=True)
        np.testing.assert_allclose(heights(axes), expected)
        x, y = axes.lines[0].get_data()
        np.testing.assert_allclose(y, Normal(0.0, 1.0).log_prob(torch.tensor(x)).exp())


def test_panels_go_from_the_most_informative_dimension_and_say_its_kl():
    q = make_posterior()
    kl = 0.5 * (q.loc**2 + q.scale**2 - 1 - 2 * q.scale.log()).mean(0)
    axes = histogram_figure(q).axes
    assert [a.get_title(loc="left") for a in axes] == [
        f"$z_{{{j}}}$: {kl[j]:.2f}" for j in (1, 0, 2)
    ]
    titles = [
        a.findobj(lambda t: isinstance(t, Text) and t.get_text().startswith("$"))[0] for a in axes
    ]
    assert [title.get_color() for title in titles] == ["black", "black", FAINT]


def test_no_code_lies_outside():
    loc = torch.tensor([[0.0], [7.0]])
    axes = histogram_figure(Normal(loc, torch.full_like(loc, 0.01)), bins=10).axes[0]
    left = axes.patches[0].get_x()
    width = axes.patches[0].get_width()
    assert sum(heights(axes)) * width == pytest.approx(1)
    assert left == pytest.approx(-7, abs=0.05)


def test_a_row_for_each_model_with_the_same_axis():
    narrow, wide = make_posterior(50), Normal(9 * torch.eye(3), torch.ones(3, 3))
    figure = histogram_figure({"γ = 5": narrow, "γ = 35": wide}, dimensions=[2, 0])
    assert len(figure.axes) == 4
    assert figure.axes[0].get_ylabel() == "γ = 5"
    assert figure.axes[2].get_ylabel() == "γ = 35"
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_twelve_dimensions_leave_no_empty_panel():
    q = Normal(torch.zeros(20, 12), torch.ones(20, 12))
    figure = histogram_figure(q)
    assert len(figure.axes) == 12
    assert all(axes.patches for axes in figure.axes)


def test_what_cannot_be_drawn_is_refused():
    q = make_posterior(5)
    for wrong in ([], [3], [-1]):
        with pytest.raises(ValueError, match="expected dimensions from 0 to 2"):
            histogram_figure(q, dimensions=wrong)
    with pytest.raises(ValueError, match="bins must be at least 1, got 0"):
        histogram_figure(q, bins=0)
    other = Normal(torch.zeros(5, 2), torch.ones(5, 2))
    for posteriors in ({}, {"a": q, "b": other}, {"a": Normal(q.loc[:0], q.scale[:0])}):
        with pytest.raises(ValueError, match="of the same latent_dim and at least one image"):
            histogram_figure(posteriors)


def test_the_line_is_the_prior_that_is_given() -> None:
    q = Normal(torch.zeros(50, 2), 0.1 * torch.ones(50, 2))
    prior = Uniform(-torch.ones(2), torch.ones(2), validate_args=False)
    for panel in histogram_figure(q, prior=prior).axes:
        x, y = panel.lines[0].get_data()
        assert y[abs(x) < 0.9] == pytest.approx(0.5)
        assert y[abs(x) > 1.1] == pytest.approx(0)
        assert "inf" not in panel.get_title(loc="left")
