"""Few labels: which images have one, what it is, and that it reaches the loss."""

import copy

import pytest
import torch

from disvae import BurgessVAE, Trainer
from disvae.data import FactorArray, FewLabels, ImageArray, Slice, Sprites, TupleSource
from disvae.losses import FewLabelsLoss
from disvae.spec import build, describe

SPRITES = Slice(Sprites(), {"shape": 1, "orientation": 2})  # scale 6, position_x 32, position_y 32


def test_labelled_images_come_with_their_factors() -> None:
    source = FewLabels(SPRITES, 16, n_labels=20)
    _, chosen = source.indices(3)
    x, labelled, factors = source.batch(3)
    assert x.shape == labelled.shape == (16, 1, 64, 64)
    assert torch.equal(labelled, SPRITES.images(chosen) / SPRITES.max_value)
    assert set(chosen.tolist()) <= set(source.labelled.tolist())
    for row, index in zip(factors.tolist(), chosen.tolist(), strict=True):
        scale, x_index, y_index = SPRITES.factors([index])[0].tolist()
        assert row == pytest.approx([scale / 5, x_index / 31, y_index / 31])


def test_every_labelled_image_is_drawn_and_equally_often() -> None:
    source = FewLabels(SPRITES, 500, n_labels=10)
    drawn = torch.cat([source.indices(step)[1] for step in range(4)])
    values, counts = drawn.unique(return_counts=True)
    assert torch.equal(values, source.labelled.sort().values)
    chi_squared = ((counts - 200.0) ** 2 / 200).sum()
    assert chi_squared < 28  # 0.999 quantile at 9 degrees of freedom


def test_the_other_images_are_those_of_all_training() -> None:
    source = FewLabels(SPRITES, 1024, n_labels=5)
    seen = torch.cat([source.indices(step)[0] for step in range(6)])
    assert torch.equal(seen.sort().values, torch.arange(6 * 1024))


def test_which_are_labelled_is_a_matter_of_its_own_seed() -> None:
    source = FewLabels(SPRITES, 8, n_labels=20, seed=1)
    assert len(source.labelled.unique()) == 20
    assert torch.equal(source.labelled, FewLabels(SPRITES, 8, n_labels=20, seed=2).labelled)
    other = FewLabels(SPRITES, 8, n_labels=20, labels_seed=1, seed=1)
    assert not torch.equal(source.labelled, other.labelled)
    anew = source.reordered(8, 5)  # as a trainer does it
    assert torch.equal(anew.labelled, source.labelled)
    assert not torch.equal(anew.indices(0)[1], source.indices(0)[1])


def test_description_builds_the_same() -> None:
    source = FewLabels(SPRITES, 4, n_labels=30, labels_seed=2, seed=5)
    same = build(describe(source), TupleSource)
    assert all(map(torch.equal, same.batch(1), source.batch(1)))


def test_a_factor_of_one_value_is_0() -> None:
    images = torch.zeros(4, 2, 2, dtype=torch.uint8)
    data = FactorArray(images, torch.tensor([[0, 2], [0, 1], [0, 0], [0, 2]]), ("one", "three"))
    assert FewLabels(data, 2, n_labels=4).targets(torch.arange(3)).tolist() == [
        [0, 1],
        [0, 0.5],
        [0, 0],
    ]


@pytest.mark.parametrize("n_labels", [0, len(SPRITES) + 1])
def test_number_of_labels(n_labels) -> None:
    with pytest.raises(ValueError, match="n_labels must be from 1 to 6144"):
        FewLabels(SPRITES, 8, n_labels)


@pytest.mark.untyped
def test_labels_are_no_factors() -> None:
    data = ImageArray(torch.zeros(4, 2, 2, dtype=torch.uint8), labels=torch.arange(4))
    with pytest.raises(ValueError, match="ImageArray has no factors"):
        FewLabels(data, 2, 1)


def test_training_with_labels_is_not_training_without_their_weight() -> None:
    torch.manual_seed(0)
    first = BurgessVAE((1, 64, 64), latent_dim=3)
    weights = []
    for weight in (0.0, 0.0, 64.0):
        model = copy.deepcopy(first)
        trainer = Trainer(
            model, FewLabelsLoss(weight=weight), batch_size=4, progress=False, accelerator="cpu"
        )
        record = trainer.fit(FewLabels(SPRITES, 4, n_labels=8), steps=2)
        assert record["supervised"] > 0
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
