"""Accumulation over batches, over processes, and what reset forgets."""

from contextlib import ExitStack

import pytest
import torch
from interpreter import running

from disvae.metrics import Accumulator, Scores, evaluate, mig


@pytest.fixture
def arrays(codes, factors):
    return torch.tensor(codes["rotated"]).float(), torch.tensor(factors)


def test_batches_are_one_array(arrays) -> None:
    z, v = arrays
    accumulator = Accumulator(mig, names=["a", "b", "c", "d"], settings={"bins": 15})
    for a, b in zip(z.split(700), v.split(700), strict=True):
        accumulator.update(a, b)
    assert len(accumulator) == len(z)
    assert accumulator.compute() == mig(z, v, bins=15)
    assert list(accumulator.compute().per_factor) == ["a", "b", "c", "d"]


def test_reset_forgets_everything(arrays) -> None:
    z, v = arrays
    accumulator = Accumulator(mig)
    accumulator.update(z, v)
    accumulator.reset()
    assert len(accumulator) == 0
    with pytest.raises(ValueError, match="update with batches first"):
        accumulator.compute()
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    accumulator.update(noise, v)
    assert accumulator.compute() == mig(noise, v) < 0.05


def test_two_accumulators_share_nothing(arrays) -> None:
    first, second = Accumulator(mig), Accumulator(mig)
    first.update(*arrays)
    assert len(second) == 0


def test_memory_of_a_batch_may_be_used_again(arrays) -> None:
    z, v = arrays
    accumulator = Accumulator(mig)
    batch = z.clone()
    accumulator.update(batch, v)
    batch.zero_()
    assert accumulator.compute() == mig(z, v)


def test_all_metrics_by_default(arrays) -> None:
    z, v = (x[::20, :3] for x in arrays)
    accumulator = Accumulator(seed=2, settings={"metrics": ["MIG", "SAP"]})
    accumulator.update(z, v)
    scores = accumulator.compute()
    assert isinstance(scores, Scores)
    assert scores == evaluate(z, v, seed=2, metrics=["MIG", "SAP"])


@pytest.mark.parametrize(
    ("z", "v", "message"),
    [
        (torch.zeros(3), torch.zeros(3, 1), "expected codes"),
        (torch.zeros(3, 1), torch.zeros(2, 1), "expected codes"),
        (torch.zeros(3, 2), torch.zeros(3, 4), "earlier batches had 10 dimensions"),
        (torch.zeros(3, 10), torch.zeros(3, 1), "and 4 factors, this one 10 and 1"),
    ],
)
def test_batches_of_another_shape(arrays, z, v, message) -> None:
    accumulator = Accumulator(mig)
    accumulator.update(*arrays)
    with pytest.raises(ValueError, match=message):
        accumulator.update(z, v)


WORK = """
import sys
import torch
from disvae.metrics import Accumulator, mig

folder, rank = sys.argv[1], int(sys.argv[2])
torch.distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=3
)
z, v = torch.load(f"{folder}/arrays.pt")
accumulator = Accumulator(mig)
if rank < 2:  # the third process got no batch
    accumulator.update(z[rank::2], v[rank::2])
print(repr(float(accumulator.compute())))
torch.distributed.destroy_process_group()
"""


def test_processes_see_the_samples_of_all(arrays, tmp_path) -> None:
    """Each of three processes, one without a batch, computes the score of all samples."""
    torch.save(arrays, tmp_path / "arrays.pt")
    script = tmp_path / "script.py"
    script.write_text(WORK)
    with ExitStack() as stack:
        outputs = [tmp_path / f"{rank}.txt" for rank in range(3)]
        processes = [
            stack.enter_context(running(script, tmp_path, rank, output=output))
            for rank, output in enumerate(outputs)
        ]
        for process in processes:
            process.join(120)
    printed = [output.read_text().splitlines()[-1] for output in outputs]
    assert [float(line) for line in printed] == [float(mig(*arrays))] * 3
