"""What an extra installs is imported only where it is needed, and named where it is missing."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disvae import VAE, BurgessVAE, Trainer, VAELoss
from disvae.cli.main import main
from disvae.data import Sprites, random_subset
from disvae.explore import serve
from disvae.extras import EXTRAS, MissingExtraError, has
from disvae.likelihoods import StructuralSimilarity
from disvae.models import export_onnx
from disvae.plots import Animation, embed

ROOT = Path(__file__).parents[1]
OPTIONAL = [module for modules in EXTRAS.values() for module in modules]

# What a declared package brings along and disvae imports: scikit-learn, matplotlib, then Gradio.
BROUGHT = {"threadpoolctl", "cycler", "fastapi", "starlette", "uvicorn"}
IMPORT_NAMES = {"scikit-learn": "sklearn", "pillow": "PIL", "pyyaml": "yaml"}


def small_model() -> BurgessVAE:
    return BurgessVAE((1, 32, 32), latent_dim=2)


def write_mp4(folder: Path) -> None:
    Animation(np.zeros((2, 4, 4, 3), np.uint8)).save(folder / "film.mp4")


def compare_images(folder: Path) -> None:
    StructuralSimilarity().nll(torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16))


USES: list[tuple[str, Callable[[Path], Any]]] = [
    ("explore", serve),
    ("hub", lambda folder: VAE.from_pretrained("someone/model")),
    ("hub", lambda folder: small_model().push_to_hub("someone/model")),
    ("onnx", lambda folder: export_onnx(small_model(), folder)),
    ("ssim", compare_images),
    ("umap", lambda folder: embed(np.random.default_rng(0).normal(size=(40, 3)), "umap")),
    ("video", write_mp4),
]


@pytest.mark.parametrize(("extra", "use"), USES, ids=[extra for extra, _ in USES])
def test_a_missing_extra_is_named_and_nothing_is_written(
    extra: str, use: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for missing in EXTRAS[extra]:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            assert not has(extra)
            with pytest.raises(MissingExtraError) as caught:
                use(tmp_path)
        message = str(caught.value)
        assert message.endswith(f"needs the package {missing}: pip install 'disvae[{extra}]'")
        assert caught.value.name == missing
    assert list(tmp_path.iterdir()) == []


def test_every_extra_is_used_above_or_logs_curves() -> None:
    assert {extra for extra, _ in USES} | {"tensorboard"} == EXTRAS.keys()


def test_the_command_says_a_missing_extra_in_one_line(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["explore", str(tmp_path)]) == 2
    expected = "disvae: error: the explorer needs the package gradio: pip install 'disvae[explore]'"
    assert capsys.readouterr().err.strip() == expected


def test_without_tensorboard_a_run_has_its_log_and_says_so_once(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    data = random_subset(Sprites(size=32), 8)
    said = []
    for steps in (2, 4):
        settings = {"batch_size": 4, "log_every": 1, "run_dir": tmp_path, "accelerator": "cpu"}
        Trainer(small_model(), VAELoss(), **settings).fit(data, steps)
        said.append(capsys.readouterr().err.count("pip install 'disvae[tensorboard]'"))
    assert said == [1, 0]
    assert not (tmp_path / "tensorboard").exists()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]


def test_the_table_of_extras_is_that_of_the_package() -> None:
    project = _project()
    extras = project["optional-dependencies"].keys() - {"all", "dev", "docs"}
    assert extras == EXTRAS.keys()
    assert project["optional-dependencies"]["all"] == [f"disvae[{','.join(sorted(extras))}]"]


def test_every_import_is_of_a_declared_package_and_every_package_of_the_base_is_imported() -> None:
    names = [_name(requirement) for requirement in _project()["dependencies"]]
    declared = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}
    found = {
        module.split(".")[0]
        for file in (ROOT / "disvae").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        for module in _imported(node)
    }
    third_party = found - set(sys.stdlib_module_names) - {"disvae"}
    assert third_party <= declared | set(OPTIONAL) | BROUGHT
    assert declared <= third_party


BASE = f"""
import sys
import disvae, disvae.cli.main
assert not set({OPTIONAL}) & sys.modules.keys(), "import disvae imports optional packages"
sys.modules.update(dict.fromkeys({OPTIONAL}))
run, words = sys.argv[1], "--loss VAELoss --data Sprites --data.size 32 --n_images 64 --steps 2"
words += " --batch_size 8 --model.latent_dim 2 --progress false --accelerator cpu"
for command in (
    ["train", "--run_dir", run, *words.split()],
    ["evaluate", run, "--untrained", "--metrics", "MIG"],
    ["plot", run, "samples", "traversals", "traversal-animation"],
    ["report", run],
    ["traverse", run],
):
    assert disvae.cli.main.main(command) == 0, command
"""


def test_the_base_trains_evaluates_plots_and_reports(tmp_path) -> None:
    run = tmp_path / "run"
    subprocess.run([sys.executable, "-c", BASE, str(run)], check=True)
    names = {"evaluation.json", "report.html", "traversal.png", "samples.png", "log.jsonl"}
    assert names <= {file.name for file in run.iterdir()}


def _project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="tomllib is new in Python 3.11")
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _name(requirement: str) -> str:
    return requirement.partition(">")[0].partition("[")[0]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
