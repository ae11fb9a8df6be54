import json

import pytest
import yaml

from disvae.cli.main import main
from disvae.recipes import load_recipe, recipe_names


def printed(capsys, *arguments: str) -> str:
    assert main([*arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_list_has_a_line_for_each(capsys) -> None:
    lines = printed(capsys, "recipe", "list").splitlines()
    for name in recipe_names():
        (line,) = (line for line in lines if line.split()[0] == name)
        assert f"{load_recipe(name).config['steps']:,} steps" in line
        assert len(line) < 100


def test_list_as_json_is_all_there_is(capsys) -> None:
    recipes = json.loads(printed(capsys, "recipe", "list", "--json"))
    assert sorted(recipes) == recipe_names()
    factor = recipes["factor_chairs"]
    assert factor["config"] == load_recipe("factor_chairs").config
    assert factor["source"].endswith("disentangling-vae")
    assert len(factor["corrected"]) == 3


def test_show_prints_the_file(capsys) -> None:
    text = printed(capsys, "recipe", "show", "best_celeba")
    assert text == load_recipe("best_celeba").text
    assert yaml.safe_load(text)["loss"]["init_args"]["alpha"]["init_args"]["end"] == -10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recipe", "lsit"], "did you mean 'list'?"),
        (["recipe", "show", "factor_dsprite"], "did you mean 'factor_dsprites'?"),
        (["recipe", "show", "best_celeba", "--jsno"], "unknown option '--jsno'"),
        (["train", "--recipe", "factor_dsprite"], "did you mean 'factor_dsprites'?"),
        (["train", "--recipe", "best_celeba", "--config", "x"], "either --config or --recipe"),
    ],
)
def test_mistakes_are_named(capsys, arguments, message) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_options_win_over_the_recipe(capsys) -> None:
    more = ["--loss.gamma.end", "35", "--data", "Sprites", "--lr", "1e-3"]
    text = printed(capsys, "train", "--recipe", "factor_dsprites", *more, "--print_config")
    config, recipe = yaml.safe_load(text), load_recipe("factor_dsprites").config
    gamma = recipe["loss"]["init_args"]["gamma"]
    assert config["loss"]["init_args"]["gamma"]["init_args"] == {**gamma["init_args"], "end": 35.0}
    assert config["data"] == {"class_path": "disvae.data.Sprites", "init_args": {"size": 64}}
    assert config["lr"] == 1e-3
    assert config["steps"] == recipe["steps"]


@pytest.mark.parametrize("name", ["betaB_celeba", "chestmnist_factorvae", "fashion_mnist_mlp"])
def test_what_print_config_prints_is_what_config_takes(name, capsys, tmp_path) -> None:
    text = printed(capsys, "train", "--recipe", name, "--print_config", "--monitor", "objective")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    config = ["--config", str(tmp_path / "config.yaml")]
    assert printed(capsys, "train", *config, "--print_config") == text
    assert "run_dir" not in text


def test_print_config_writes_and_reads_nothing(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DISVAE_DATA", str(tmp_path / "nowhere"))
    run_dir = tmp_path / "run"
    arguments = ["--recipe", "VAE_celeba", "--data.crop", "null", "--run_dir", str(run_dir)]
    text = printed(capsys, "train", *arguments, "--print_config")
    assert yaml.safe_load(text)["data"]["init_args"]["crop"] is None
    assert not run_dir.exists()
