"""Fixtures shared by all tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings
from interpreter import FORKS

# How long an example takes depends on what else the machine does.
settings.register_profile("disvae", deadline=None)
settings.load_profile("disvae")

# One result on all processors: bfloat16 counts as emulated, so precision="auto" is float32, and no
# trial chooses the number of threads. Processes that tests start inherit both.
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE"
torch.set_num_threads(int(os.environ.setdefault("OMP_NUM_THREADS", "1")))

# The key that runs are signed with, for this process and those that it starts.
os.environ.setdefault("DISVAE_KEY", tempfile.mkdtemp(prefix="disvae-key-") + "/key")

TESTS = Path(__file__).parent
SHARED_DATA = TESTS.parents[1] / "shared" / "data"

# What a contributor runs after every change: mathematics, contracts, one run from training to
# scores, and the command's door.
CORE = (
    "divergence/",
    "likelihoods/",
    "losses/",
    "cli/test_evaluate.py",
    "cli/test_main.py",
    "data/test_contract.py",
    "data/test_factors.py",
    "data/test_sprites.py",
    "metrics/test_factor_rows.py",
    "metrics/test_factor_vae.py",
    "metrics/test_mig.py",
    "training/test_trainer.py",
    "test_api_surface.py",
    "test_schedules.py",
    "test_spec.py",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of the core, and skip those of a GPU where there is none."""
    if "gpu" in item.keywords and not torch.cuda.is_available():
        item.add_marker(pytest.mark.skip(reason="no NVIDIA GPU"))
    if item.path.relative_to(TESTS).as_posix().startswith(CORE):
        item.add_marker("core")


@pytest.fixture
def shared_data() -> Path:
    """The folder of real images, which is not part of the repository."""
    folder = Path(os.environ.get("DISVAE_TEST_DATA", SHARED_DATA))
    if not folder.is_dir():
        pytest.skip(f"real images not found at {folder}: set DISVAE_TEST_DATA to their folder")
    return folder


@pytest.fixture
def _quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workers of an ensemble be forked, where seconds of imports would be all they do."""
    monkeypatch.setattr("disvae.training.ensemble.multiprocessing.get_context", lambda _: FORKS)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _untyped(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test marked ``untyped`` reach the errors that the checker would precede."""
    jaxtyping.config.update("jaxtyping_disable", "untyped" in request.keywords)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def draws_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every device the draws of the CPU's generator."""

    def on_cpu(draw):
        def drawn(*arguments, device=None, **options):
            return draw(*arguments, **options).to(device)

        return drawn

    def normal(shape, dtype, device):
        return torch.randn(shape, dtype=dtype).to(device)

    def like(draw):
        return lambda x, **options: draw(x.shape, dtype=options.get("dtype") or x.dtype).to(
            x.device
        )

    monkeypatch.setattr("torch.distributions.normal._standard_normal", normal)
    monkeypatch.setattr(torch, "randn_like", like(torch.randn))
    monkeypatch.setattr(torch, "rand_like", like(torch.rand))
    for name in ("rand", "randn", "randint", "randperm"):
        monkeypatch.setattr(torch, name, on_cpu(getattr(torch, name)))
