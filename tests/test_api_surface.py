"""The public names: one that disappears breaks users, and this test."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import disvae

FILE = Path(__file__).with_name("api_surface.json")
SURFACE = json.loads(FILE.read_text())


@pytest.mark.parametrize("module", SURFACE)
def test_names_are_there(module: str) -> None:
    actual = importlib.import_module(module)
    missing = [name for name in SURFACE[module] if not hasattr(actual, name)]
    assert not missing, f"{module} lost {missing}: a public name leaves by a deprecation"
    assert sorted(actual.__all__) == SURFACE[module], f"write new public names into {FILE.name}"


def test_unknown_names_are_attribute_errors() -> None:
    import disvae

    assert set(disvae.__all__) <= set(dir(disvae))
    with pytest.raises(AttributeError, match="no attribute 'FactorVAELos'"):
        _ = disvae.FactorVAELos


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "torch numpy scipy sklearn torchvision lightning_fabric matplotlib tensorboard h5py"
    code = f"import sys, disvae; print([m for m in '{heavy}'.split() if m in sys.modules])"
    assert _run(code) == "[]"


def test_a_loss_needs_torch_alone() -> None:
    heavy = "scipy sklearn torchvision lightning_fabric matplotlib tensorboard h5py medmnist rich"
    code = "import sys, torch; before = set(sys.modules); from disvae import FactorVAELoss, VAE; "
    code += f"print([m for m in '{heavy}'.split() if m in set(sys.modules) - before])"
    assert _run(code) == "[]"


def _run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_shapes_are_of_classes() -> None:
    """From NumPy 2.5 on NDArray[...] is an alias, which jaxtyping cannot give a shape."""
    wrong = [
        f"{file.name}:{number}"
        for file in Path(disvae.__file__).parent.rglob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(r"\w\[NDArray\[[\w.]+\], \"", line)
    ]
    assert not wrong
