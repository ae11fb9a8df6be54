import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disvae.data import BatchSource, ImageArray


def source(n: int, batch_size: int, seed: int = 0) -> BatchSource:
    images = torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1)
    return BatchSource(ImageArray(images, max_value=255), batch_size, seed)


@given(n=st.integers(1, 30), batch_size=st.integers(1, 70), seed=st.integers(0, 5))
def test_every_epoch_sees_every_image_once(n: int, batch_size: int, seed: int) -> None:
    batches = source(n, batch_size, seed)
    sequence = torch.cat([batches.indices(step) for step in range(3 * n // batch_size + 1)])
    for epoch in sequence[: len(sequence) // n * n].split(n):
        assert epoch.sort().values.tolist() == list(range(n))


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, other = source(50, 8), source(50, 8)
    later = [one.indices(step) for step in (17, 3, 30)]
    for step in (30, 17, 3):
        other.indices(step)
    assert all(
        torch.equal(a, other.indices(step)) for a, step in zip(later, (17, 3, 30), strict=True)
    )
    assert not torch.equal(source(50, 8, seed=1).indices(0), one.indices(0))
    assert not torch.equal(one.indices(0), one.indices(50))  # the same place of another epoch


def test_batches_are_floats_from_0_to_1() -> None:
    batches = source(200, 64)
    batch = batches.batch(1)
    assert batch.shape == (64, 1, 1, 1)
    assert batch.dtype == torch.float32
    torch.testing.assert_close(255 * batch.flatten(), batches.indices(1).float())


def test_global_randomness_is_left_alone() -> None:
    state = torch.random.get_rng_state()
    source(10, 4).batch(3)
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="batch_size >= 1"):
        source(10, 0)
    with pytest.raises(ValueError, match="seed >= 0"):
        source(10, 4, seed=-1)
    with pytest.raises(ValueError, match="steps count from 0"):
        source(10, 4).batch(-1)


@pytest.mark.untyped
def test_steps_are_integers() -> None:
    source = BatchSource(ImageArray(torch.zeros(10, 2, 2, dtype=torch.uint8)), batch_size=4)
    assert torch.equal(source.indices(torch.tensor(2)), source.indices(2))
    with pytest.raises(TypeError, match="integer"):
        source.batch(1.0)
