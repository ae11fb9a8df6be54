"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
import torch

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder of real images, which is not part of the repository."""
    folder = Path(os.environ.get("DISVAE_TEST_DATA", SHARED_DATA))
    if not folder.is_dir():
        pytest.skip(f"real images not found at {folder}: set DISVAE_TEST_DATA to their folder")
    return folder


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)
