import inspect

import pytest
import torch
from painted import code_of, codes_shown, painted_run, picture

from disvae.cli.plot import KINDS
from disvae.plots import choose_images, image_kinds


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return painted_run(tmp_path_factory.mktemp("run"), {0: 0.0, 5: 0.5})


def drawn(run, n: int, images=(), seed: int = 0) -> torch.Tensor:
    """The codes of the images that a seed draws."""
    indices = choose_images(run.data(), n, images, seed).tolist()
    return torch.tensor([code_of(index) for index in indices]).float()


def close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected.float(), atol=1e-4, rtol=0)


def test_data_samples_are_the_chosen_images_and_those_of_the_seed(run):
    figure = image_kinds.data_samples(run, rows=2, columns=3, images=[7, 100], seed=4)
    close(codes_shown(picture(figure), 2, 3).flatten(0, 1), drawn(run, 6, [7, 100], 4))
    assert [text.get_text() for text in figure.axes[0].texts[:2]] == ["7", "100"]


def test_samples_are_decoded_draws_of_the_prior(run):
    figure = image_kinds.samples(run, rows=2, columns=3, seed=4)
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(4))
    close(codes_shown(picture(figure), 2, 3).flatten(0, 1), z)


def test_reconstructions_are_those_of_the_same_images(run):
    figure = image_kinds.reconstructions(run, rows=1, columns=3, show_loss=True, seed=4)
    close(codes_shown(picture(figure), 2, 3)[1], drawn(run, 3, seed=4))


def test_traversals_start_where_they_are_told(run):
    prior = codes_shown(picture(image_kinds.traversals(run, rows=1, columns=3)), 1, 3)
    close(prior[0], torch.tensor([[0, 0, -2], [0, 0, 0], [0, 0, 2]]))
    given = codes_shown(picture(image_kinds.traversals(run, columns=2, images=[3, 7])), 6, 2)
    close(given[0, :, :2], torch.tensor(code_of(3))[:2].expand(2, 2))
    close(given[1, :, :2], torch.tensor(code_of(7))[:2].expand(2, 2))
    seeded = image_kinds.traversals(run, columns=2, posterior=True, seed=4)
    close(codes_shown(picture(seeded), 3, 2)[0, 0, :2], drawn(run, 1, seed=4)[0, :2])


def test_small_ranges_are_quantiles_of_what_is_traversed(run):
    prior = image_kinds.traversals(run, rows=1, columns=2, range=0.45)
    close(codes_shown(picture(prior), 1, 2)[0, :, 2], torch.tensor([-1.6449, 1.6449]))
    posterior = image_kinds.traversals(run, rows=1, columns=2, range=0.45, images=[4])
    ends = 2 + 0.1 * torch.tensor([-1.6449, 1.6449])  # of dimension 2
    close(codes_shown(picture(posterior), 1, 2)[0, :, 2], ends)


def test_reconstruct_traverse(run):
    figure = image_kinds.reconstruct_traverse(run, rows=2, columns=3, images=[7], show_loss=True)
    codes = codes_shown(picture(figure), 4, 3)
    close(codes[0], drawn(run, 3, [7]))
    close(codes[2], torch.tensor([[0, 0, -2], [0, 0, 0], [0, 0, 2]]))


def test_interpolation_goes_between_pairs(run):
    figure = image_kinds.interpolation(run, rows=2, columns=3, images=[0, 124, 62])
    codes = codes_shown(picture(figure), 2, 5)
    ends = drawn(run, 4, [0, 124, 62])
    close(codes[:, 0], ends[::2])
    close(codes[:, 2], (ends[::2] + ends[1::2]) / 2)
    close(codes[:, 4], ends[1::2])
    stairs = image_kinds.interpolation(run, rows=1, columns=4, images=[0, 124], path="dimensions")
    expected = [[-2, -2, -2], [-2, -2, 2], [-2, 2, 2], [2, 2, 2]]  # by KL
    close(codes_shown(picture(stairs), 1, 6)[0, 1:5], torch.tensor(expected))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("samples", {"rows": 0}), ("data_samples", {"columns": -1}), ("interpolation", {"rows": 0})],
)
def test_there_must_be_something_to_show(run, kind, options):
    with pytest.raises(ValueError, match="must be at least 1"):
        getattr(image_kinds, kind)(run, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_documented_and_needs_nothing_but_a_run(kind):
    function = KINDS[kind]
    first, *others = inspect.signature(function).parameters.values()
    assert first.name == "run"
    text = inspect.getdoc(function) or ""
    for option in others:
        assert option.kind == option.KEYWORD_ONLY
        assert option.default is not option.empty
        assert f"    {option.name}: " in text, f"{kind}: {option.name} has no help"
