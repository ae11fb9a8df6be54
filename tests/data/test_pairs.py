"""Pairs and triplets share what they should, and each batch is a function of seed and step."""

import pickle

import pytest
import torch

from disvae import Trainer
from disvae.data import (
    ChangedFactorPairs,
    FactorArray,
    FactorPairs,
    ImageArray,
    LabelPairs,
    Slice,
    Sprites,
    Triplets,
    TupleSource,
    store,
)
from disvae.spec import build, describe

SPRITES = Slice(Sprites(), {"shape": 1, "orientation": 2})  # scale 6, position_x 32, position_y 32


def labelled(n=60):
    images = torch.arange(n, dtype=torch.uint8)[:, None, None].expand(n, 2, 2).contiguous()
    return ImageArray(images, labels=torch.arange(n) % 5)


SOURCES = {
    "factors": lambda **k: FactorPairs(SPRITES, 16, ("scale",), **k),
    "changed": lambda **k: ChangedFactorPairs(SPRITES, 16, 1, **k),
    "labels": lambda **k: LabelPairs(labelled(), 16, **k),
    "triplets": lambda **k: Triplets(SPRITES, 16, ("scale", "position_x"), **k),
    "label_triplets": lambda **k: Triplets(labelled(), 16, **k),
}


@pytest.mark.parametrize("name", SOURCES)
def test_batches_depend_on_seed_and_step_alone(name) -> None:
    source, again = SOURCES[name](seed=3), SOURCES[name](seed=3)
    again.batch(0)
    for step in (9, 2):
        for a, b in zip(source.batch(step), again.batch(step), strict=True):
            assert torch.equal(a, b)
    other = SOURCES[name](seed=4)
    assert not torch.equal(torch.stack(source.indices(0)), torch.stack(other.indices(0)))
    assert not torch.equal(torch.stack(source.indices(0)), torch.stack(source.indices(1)))


@pytest.mark.parametrize("name", SOURCES)
def test_images_are_those_of_the_indices(name) -> None:
    source = SOURCES[name]()
    data = source.dataset
    for images, indices in zip(source.batch(4), source.indices(4), strict=True):
        assert torch.equal(images, data.images(indices) / data.max_value)
    assert len(source) == len(data)


@pytest.mark.parametrize("name", ["factors", "changed", "triplets"])
def test_description_builds_the_same(name) -> None:
    copy = build(describe(SOURCES[name](seed=5)), TupleSource)
    assert torch.equal(copy.batch(1)[1], SOURCES[name](seed=5).batch(1)[1])


def test_pairs_share_the_named_factors_and_nothing_else() -> None:
    source = FactorPairs(SPRITES, 512, ("scale", "position_x"))
    first, second = (SPRITES.factors(i) for i in source.indices(0))
    assert (first[:, :2] == second[:, :2]).all()
    assert (first[:, 2] != second[:, 2]).all()  # another image
    assert len(second[:, 2].unique()) == 32
    free = FactorPairs(SPRITES, 2048, ("scale",))
    _, second = (SPRITES.factors(i) for i in free.indices(0))
    counts = second[:, 1].bincount(minlength=32).double()
    chi_squared = ((counts - 64) ** 2 / 64).sum()
    assert chi_squared < 62  # 0.999 quantile at 31 degrees of freedom


@pytest.mark.parametrize("n_changed", [1, 2, None])
def test_changed_factors_are_the_only_ones_that_differ(n_changed) -> None:
    source = ChangedFactorPairs(SPRITES, 600, n_changed)
    first, second = (SPRITES.factors(i) for i in source.indices(0))
    changed = source.changed(0)
    assert (first == second)[~changed].all()
    assert (first != second).any(1).all()
    sizes = changed.sum(1)
    assert set(sizes.tolist()) == ({1, 2} if n_changed is None else {n_changed})
    assert changed.double().mean(0).tolist() == pytest.approx(
        [(n_changed or 1.5) / 3] * 3, abs=0.08
    )


def test_labels_and_triplets() -> None:
    data = labelled()
    first, second = LabelPairs(data, 64).indices(0)
    assert torch.equal(data.labels(first), data.labels(second))
    assert (first != second).all()
    anchor, positive, negative = Triplets(data, 64).indices(0)
    assert torch.equal(data.labels(anchor), data.labels(positive))
    assert (data.labels(anchor) != data.labels(negative)).all()
    anchor, _, negative = Triplets(SPRITES, 64, ("scale", "position_x")).indices(0)
    differ = SPRITES.factors(anchor)[:, :2] != SPRITES.factors(negative)[:, :2]
    assert differ.any(1).all()


def test_stored_images_and_incomplete_grids_too() -> None:
    kept = store(SPRITES, progress=False)
    a = FactorPairs(kept, 8, ("scale",)).batch(0)
    b = FactorPairs(SPRITES, 8, ("scale",)).batch(0)
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    table = torch.tensor([[0, 1], [0, 0], [2, 1], [0, 1]])
    data = FactorArray(torch.zeros(4, 2, 2).byte(), table, ("a", "b"))
    anchors, partners = FactorPairs(data, 4, ()).indices(0)
    assert (anchors != partners).all()


def test_images_without_a_partner_are_refused_at_once() -> None:
    table = torch.tensor([[0, 1], [0, 0], [2, 1], [0, 1]])
    data = FactorArray(torch.zeros(4, 2, 2).byte(), table, ("a", "b"))
    with pytest.raises(ValueError, match="1 of 4 images share a with no other"):
        FactorPairs(data, 4, ("a",))
    with pytest.raises(ValueError, match="share a with no other"):
        Triplets(data, 4, ("a",))
    with pytest.raises(ValueError, match="share a with no other, the first is image 2"):
        ChangedFactorPairs(data, 4, 1)
    ChangedFactorPairs(data, 4, 2)
    alike = ImageArray(torch.zeros(2, 2, 2).byte(), labels=torch.tensor([1, 1]))
    with pytest.raises(ValueError, match="there is none that does not"):
        Triplets(alike, 4)
    with pytest.raises(ValueError, match="2 of 2 images share its label"):
        LabelPairs(ImageArray(torch.zeros(2, 2, 2).byte(), labels=torch.tensor([1, 2])), 4)


def test_trainer_passes_pairs_to_the_loss() -> None:
    from disvae import BurgessVAE, FactorVAELoss
    from disvae.models import Discriminator

    criterion = FactorVAELoss(3, discriminator=Discriminator(3, 16, 1))
    model = BurgessVAE((1, 64, 64), latent_dim=3)
    trainer = Trainer(model, criterion, batch_size=8, progress=False, decompose_every=2)
    record = trainer.fit(FactorPairs(SPRITES, 8, ("scale",)), steps=2)
    assert {"mutual_information", "total_correlation_in_loss"} <= record.keys()


@pytest.mark.parametrize("n_changed", [0, 4])
def test_number_of_changed_factors(n_changed) -> None:
    with pytest.raises(ValueError, match="n_changed must be from 1 to 3"):
        ChangedFactorPairs(SPRITES, 8, n_changed)


@pytest.mark.untyped
def test_labels_are_no_factors() -> None:
    with pytest.raises(ValueError, match="has no factors to share"):
        Triplets(labelled(), 8, ("scale",))


@pytest.mark.parametrize("name", SOURCES)
def test_sources_travel_to_other_processes(name) -> None:
    source = SOURCES[name](seed=2)
    copy = pickle.loads(pickle.dumps(source))
    assert all(map(torch.equal, source.indices(3), copy.indices(3)))


def test_pairs_of_a_table_of_factors_travel_too() -> None:
    factors = [[a, b] for a in range(2) for b in (2, 0, 1)]  # not in the order of a grid
    table = FactorArray(torch.zeros(6, 2, 2, dtype=torch.uint8), factors, names=("a", "b"))
    source = ChangedFactorPairs(table, batch_size=4, n_changed=1)
    copy = pickle.loads(pickle.dumps(source))
    assert all(map(torch.equal, source.indices(3), copy.indices(3)))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("device", [None, "cpu"])
def test_another_order_is_that_of_a_source_made_so(name, device) -> None:
    source = SOURCES[name](seed=2)
    before = source.indices(0)
    other = source.reordered(16, 7, device)
    assert all(map(torch.equal, other.indices(1), SOURCES[name](seed=7).indices(1)))
    assert len(source.reordered(3, 7, device).indices(1)[0]) == 3
    assert all(map(torch.equal, source.indices(0), before))
