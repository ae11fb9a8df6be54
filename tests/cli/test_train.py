import json

import pytest
import torch
import yaml
from jsonargparse import Namespace
from safetensors.torch import load_file

from disvae import BetaTCVAELoss, BurgessVAE, FactorVAELoss, KimVAE, Loss, LossOutput, Trainer
from disvae.cli.main import main
from disvae.cli.parts import DATA, LOSS, MODEL
from disvae.cli.train import _parser, _say_complete, distributed
from disvae.data import ChangedFactorPairs, Sprites, Stored
from disvae.divergence import MinibatchJackknife
from disvae.likelihoods import Gaussian
from disvae.losses import ELBOLoss, WeightedLoss
from disvae.schedules import Linear
from disvae.training import load_run, read_log


class OwnLoss(ELBOLoss):
    """A loss of a user's own.

    Args:
        weight: of the mean's square.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def regularizer(self, posterior, z, prior, step):
        penalty = posterior.mean.square().sum(1).mean()
        return self.weight * penalty, {"square": penalty}


def train(run, *arguments: str) -> int:
    small = ["--n_images", "16", "--steps", "2", "--batch_size", "4", "--model.latent_dim", "3"]
    quiet = ["--progress", "false", "--accelerator", "cpu"]
    return main(["train", "--run_dir", str(run), *small, *quiet, *arguments])


def error_of(capsys, *arguments: str) -> str:
    """The one line that a wrong command prints; nothing may be started."""
    assert main(["train", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_options_reach_the_constructors(tmp_path):
    assert (
        train(
            tmp_path,
            *("--loss", "FactorVAELoss", "--loss.gamma", "7", "--loss.discriminator_lr", "1e-5"),
            *(
                "--model",
                "KimVAE",
                "--model.likelihood",
                "Gaussian",
                "--model.likelihood.std",
                "0.3",
            ),
            *("--lr", "2e-3", "--seed", "4"),
        )
        == 0
    )
    run = load_run(tmp_path)
    model, criterion = run.model(), run.criterion()
    assert isinstance(model, KimVAE)
    assert model.latent_dim == 3
    assert model.likelihood == Gaussian(0.3)
    assert isinstance(criterion, FactorVAELoss)
    assert criterion.gamma == 7.0
    assert criterion.discriminator_lr == 1e-5
    assert run.config["lr"] == 2e-3
    assert len(run.data()) == 16


def test_schedules_are_options_too(tmp_path):
    capacity = ["--loss.capacity", "Linear", "--loss.capacity.end", "9"]
    assert train(tmp_path, "--loss", "BetaVAEBLoss", *capacity) == 0
    assert load_run(tmp_path).criterion().capacity == Linear(0.0, 9.0, 100_000)


def test_what_follows_from_the_data_is_filled_in(tmp_path):
    assert train(tmp_path, "--loss", "BetaTCVAELoss") == 0
    config = load_run(tmp_path).config
    assert config["loss"]["init_args"]["dataset_size"] == 16
    assert config["model"]["init_args"]["image_shape"] == [1, 64, 64]
    assert isinstance(load_run(tmp_path).criterion(), BetaTCVAELoss)


def test_what_contradicts_the_data_is_refused(tmp_path, capsys):
    assert train(tmp_path, "--loss", "BetaTCVAELoss", "--loss.dataset_size", "7") == 2
    assert "--loss.dataset_size is 7, but by the other options it is 16" in capsys.readouterr().err
    assert train(tmp_path, "--loss", "BetaTCVAELoss", "--loss.dataset_size", "16") == 0


def test_the_same_command_gives_the_same_weights_and_another_seed_others(tmp_path):
    before = torch.get_rng_state()
    for run, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        torch.rand(3)
        assert train(tmp_path / run, "--loss", "VAELoss", "--seed", seed) == 0
    torch.set_rng_state(before)
    a, b, c = [(tmp_path / run / "model.safetensors").read_bytes() for run in "abc"]
    assert a == b
    assert a != c


def test_a_loss_of_ones_own_needs_nothing_but_its_import_path(tmp_path):
    path = f"{OwnLoss.__module__}.OwnLoss"
    assert train(tmp_path, "--loss", path, "--loss.weight", "0.25") == 0
    criterion = load_run(tmp_path).criterion()
    assert type(criterion) is OwnLoss
    assert criterion.weight == 0.25


def test_a_run_can_be_repeated_from_its_configuration(tmp_path):
    assert train(tmp_path / "a", "--loss", "BetaTCVAELoss", "--loss.beta", "3", "--seed", "9") == 0
    config = str(tmp_path / "a" / "config.yaml")
    quiet = ["--progress", "false"]
    assert main(["train", "--config", config, "--run_dir", str(tmp_path / "b"), *quiet]) == 0
    weights = [load_file(tmp_path / run / "model.safetensors") for run in "ab"]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    # the shell's options win over the file's, and another loss does not get this one's
    other = ["--loss", "VAELoss", "--seed", "3", "--run_dir", str(tmp_path / "c"), *quiet]
    assert main(["train", "--config", config, *other]) == 0
    config = load_run(tmp_path / "c").config
    assert config["seed"] == 3
    assert config["loss"] == {"class_path": "disvae.losses.VAELoss", "init_args": {}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--loss", "FactorVAELos"], "no import path; did you mean 'FactorVAELoss'?\n"),
        (["--model", "Burgess"], "did you mean 'BurgessVAE'?"),
        (["--model.likelihood", "Gausian"], "no 'Gausian'; did you mean 'Gaussian'?"),
        (["--loss.discriminator", "Discrimnator"], "or null, got Discrimnator; did you mean 'Disc"),
        (["--lr_factor", "Liner"], "float or Schedule, got Liner; did you mean 'Linear'?"),
        (["--data", "sprits"], "did you mean 'Sprites'?"),
        (["--loss.gama", "3"], "unknown option '--loss.gama'; did you mean '--loss.gamma'?"),
        (["--batch-size=3"], "did you mean '--batch_size'?"),
        (["--loss", "disvae.losses.VAELos"], "did you mean 'VAELoss'?"),
        (["--loss", "nowhere.Loss"], "cannot import loss 'nowhere.Loss'"),
        (["--loss", "disvae.BurgessVAE"], "is no loss"),
        (["--loss"], "expected one argument"),
        (["--lr", "fast"], "--lr: Expected a float. Got value: fast"),
        (["--run_dir", "x", "--lr", "-1"], "lr must be positive, got -1"),
        (["--run_dir", "x", "--precision", "16-mixed"], "--precision: "),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        ([], "--run_dir is missing"),
    ],
)
def test_mistakes_are_named(arguments, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert expected in error_of(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["- a list", "loss: {gamma: 3}", "loss: {class_path: VAELos}"])
def test_mistakes_in_a_file_are_named(text, capsys, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    error_of(capsys, "--config", str(file))


def test_an_unknown_key_in_a_file_is_named(capsys, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"lr": 1e-4, "batchsize": 3}))
    assert "did you mean 'batch_size'?" in error_of(capsys, "--config", str(file))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"class_path": "FactorVAELoss", "gamma": 6.0}, "unknown key 'gamma' of loss"),
        ({"class_path": "FactorVAELoss", "init_arg": {}}, "did you mean 'init_args'?"),
    ],
)
def test_an_unknown_key_of_a_part_is_named(part, expected, capsys, tmp_path):
    """Or else another experiment than the file's would be trained."""
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"loss": part}))
    assert expected in error_of(capsys, "--config", str(file))


class Unannotated(BurgessVAE):
    """A model whose author has no use for type hints."""

    def __init__(self, image_shape, latent_dim=3):
        super().__init__(image_shape, latent_dim)


def test_a_model_of_ones_own_need_not_be_annotated(tmp_path):
    assert train(tmp_path, "--model", f"{__name__}.Unannotated", "--model.latent_dim", "2") == 0
    assert load_run(tmp_path).model().latent_dim == 2


def test_values_are_refused_in_plain_words(capsys, tmp_path):
    said = error_of(capsys, "--run_dir", str(tmp_path / "run"), "--loss.gamma", "abc")
    assert said.strip().endswith("--loss.gamma: expected float or Schedule, got abc")


def test_help_explains_every_option():
    parts = {"model": MODEL.known, "loss": LOSS.known, "data": DATA.known}
    for part, cls in ((part, cls) for part, known in parts.items() for cls in known.values()):
        parser = _parser({part: cls})  # the options of a part do not depend on the others
        for action in parser._actions:
            assert len(action.help or "") > 5, f"{action.option_strings} is not explained"


def test_the_five_losses_and_both_models_go_by_their_names():
    expected = {"VAELoss", "BetaVAEHLoss", "BetaVAEBLoss", "FactorVAELoss", "BetaTCVAELoss"}
    assert expected <= LOSS.known.keys()
    assert {"BurgessVAE", "KimVAE"} <= MODEL.known.keys()
    assert {"VAE", "ELBOLoss", "Loss"}.isdisjoint(MODEL.known.keys() | LOSS.known.keys())
    assert "Sprites" in DATA.known
    assert {"ImageArray", "RandomSubset", "Slice"}.isdisjoint(DATA.known)  # made of objects


def test_general_loss_takes_an_estimator(tmp_path):
    estimator = ["--loss.estimator", "MinibatchJackknife", "--loss.estimator.dataset_size", "50"]
    loss = ["--loss", "WeightedLoss", "--loss.beta", "6"]
    assert train(tmp_path / "run", *loss, *estimator, "--decompose_every", "1") == 0
    criterion = load_run(tmp_path / "run").criterion()
    assert isinstance(criterion, WeightedLoss)
    assert criterion.estimator == MinibatchJackknife(50)
    config = ["--config", str(tmp_path / "run/config.yaml"), "--run_dir", str(tmp_path / "again")]
    assert main(["train", *config]) == 0
    again = load_file(tmp_path / "again/model.safetensors")
    first = load_file(tmp_path / "run/model.safetensors")
    assert all(torch.equal(again[name], weight) for name, weight in first.items())


def test_discriminator_has_options(tmp_path):
    network = ["--loss.discriminator", "Discriminator", "--loss.discriminator.latent_dim", "3"]
    sizes = ["--loss.discriminator.hidden_dim", "16", "--loss.discriminator.normalization", "batch"]
    assert train(tmp_path / "run", "--loss", "FactorVAELoss", *network, *sizes) == 0
    criterion = load_run(tmp_path / "run").criterion()
    assert criterion.discriminator[0].out_features == 16
    assert any(isinstance(layer, torch.nn.BatchNorm1d) for layer in criterion.discriminator)
    config = ["--config", str(tmp_path / "run/config.yaml"), "--run_dir", str(tmp_path / "again")]
    assert main(["train", *config]) == 0


def test_images_are_stored_and_found_again(tmp_path):
    file = tmp_path / "images.npy"
    small = ["--data", "Sprites", "--store", str(file), "--n_images", "16"]
    assert train(tmp_path / "run", *small) == 0
    assert file.stat().st_size > 16 * 512
    assert isinstance(load_run(tmp_path / "run").data(), Stored)
    assert train(tmp_path / "run", *small, "--steps", "3") == 0  # goes on with the same run
    assert train(tmp_path / "other", *small[:4], "--n_images", "17") == 2  # other images


def test_scheduled_learning_rate_and_the_run_s_own_config(tmp_path, capsys) -> None:
    """The configuration that a run leaves repeats it to the bit."""
    first, again = tmp_path / "first", tmp_path / "again"
    small = ["--n_images", "16", "--batch_size", "4", "--steps", "3", "--model.latent_dim", "2"]
    schedule = ["--lr_factor", "Linear", "--lr_factor.start", "0", "--lr_factor.end", "1"]
    schedule += ["--lr_factor.steps", "10", "--max_gradient", "100", "--accelerator", "cpu"]
    assert main(["train", *small, *schedule, "--run_dir", str(first), "--progress", "false"]) == 0
    config = str(first / "config.yaml")
    assert "disvae.schedules.Linear" in (first / "config.yaml").read_text()
    arguments = ["--config", config, "--run_dir", str(again), "--progress", "false"]
    assert main(["train", *arguments]) == 0
    weights = [(folder / "model.safetensors").read_bytes() for folder in (first, again)]
    assert weights[0] == weights[1]
    configs = [dict(load_run(folder).config) for folder in (first, again)]
    for config in configs:
        assert config.pop("provenance")["command"]
    assert configs[0] == configs[1]


@pytest.mark.usefixtures("_quick_workers")
def test_seeds_are_trained_at_once(tmp_path, capsys):
    options = ["--n_images", "16", "--batch_size", "4", "--steps", "2", "--model.latent_dim", "2"]
    options += ["--accelerator", "cpu", "--progress", "false"]
    main(["train", "--run_dir", str(tmp_path / "many"), "--seeds", "[3,5]", *options])
    assert "are complete" in capsys.readouterr().out
    main(["train", "--run_dir", str(tmp_path / "one"), "--seed", "5", *options])
    together, alone = (load_run(tmp_path / name) for name in ("many/seed-5", "one"))
    assert load_run(tmp_path / "many" / "seed-3").config["seed"] == 3
    x = torch.rand(2, 1, 64, 64)
    untrained = (run.untrained_model().represent(x) for run in (together, alone))
    assert torch.equal(*untrained)
    assert (tmp_path / "many" / "seed-5" / "model.safetensors").exists()


def test_json_is_the_end_of_the_run_and_nothing_else(tmp_path, capsys):
    for _ in ("trained", "complete already"):
        assert train(tmp_path, "--loss", "VAELoss", "--json", "--progress", "true") == 0
        said = json.loads(capsys.readouterr().out)
        assert said == {"run": str(tmp_path), "steps": 2, "log": read_log(tmp_path)[-1]}
        assert "kl" in said["log"]
    assert "--print_config prints YAML" in error_of(capsys, "--json", "--print_config")


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_process_alone_says_what_is_complete(rank, capsys, monkeypatch):
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_rank", lambda: rank)
    _say_complete(Namespace(run_dir="x", seeds=None, json=False), ["x"])
    assert capsys.readouterr().out.count("x is complete") == 1 - rank


@pytest.mark.usefixtures("_quick_workers")
def test_json_of_several_seeds_is_one_document(tmp_path, capsys):
    assert train(tmp_path, "--loss", "VAELoss", "--seeds", "[3,5]", "--json") == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    folders = [tmp_path / f"seed-{seed}" for seed in (3, 5)]
    assert [run["run"] for run in runs] == [str(folder) for folder in folders]
    assert [run["log"] for run in runs] == [read_log(folder)[-1] for folder in folders]
    assert runs[0]["log"]["kl"] != runs[1]["log"]["kl"]


def test_a_configuration_that_cannot_be_built_is_not_replaced_by_another(tmp_path, capsys) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("model: null\nseed: 1\n")
    assert "does not say how to build its model" in error_of(capsys, "--config", str(file))


@pytest.mark.usefixtures("_quick_workers")
def test_a_seed_that_fails_is_said_without_a_traceback(tmp_path, capfd) -> None:
    options = ["--n_images", "8", "--batch_size", "4", "--steps", "2", "--progress", "false"]
    options += ["--accelerator", "cpu", "--lr", "1e30", "--seeds", "[1,2]"]
    with pytest.raises(SystemExit) as end:
        main(["train", "--run_dir", str(tmp_path), *options])
    assert end.value.code == 1
    assert "2 of 2 runs failed" in capfd.readouterr().err


class Distance(Loss):
    """How far the codes of pairs lie apart."""

    def forward(self, model, batch, step=None):
        first, second = (model.encode(x).mean for x in batch)
        loss = (first - second).square().sum(1).mean()
        return LossOutput(loss, {"objective": loss.detach()})


PAIRS = (
    "--loss",
    f"{__name__}.Distance",
    "--source",
    "ChangedFactorPairs",
    "--source.n_changed",
    "1",
)


def train_on_pairs(run, *arguments: str) -> int:
    """Training on pairs of a grid small enough for a test."""
    slow = ["--steps", "2", "--batch_size", "4", "--model.latent_dim", "3", "--progress", "false"]
    return main(["train", "--run_dir", str(run), *PAIRS, *slow, "--accelerator", "cpu", *arguments])


def test_a_source_gives_pairs_and_its_data_set_stays_the_run_s(tmp_path):
    assert train_on_pairs(tmp_path / "a", "--seed", "3") == 0
    run = load_run(tmp_path / "a")
    assert isinstance(run.data(), Sprites)
    assert run.config["source"] == {
        "class_path": "disvae.data.ChangedFactorPairs",
        "init_args": {"n_changed": 1},
    }
    assert len(run.model().represent(run.data()[0][0][None])) == 1

    torch.manual_seed(3)  # the same in Python, whatever order the source itself was made with
    model, criterion = BurgessVAE((1, 64, 64), latent_dim=3), Distance()
    trainer = Trainer(model, criterion, batch_size=4, seed=3, accelerator="cpu", progress=False)
    trainer.fit(ChangedFactorPairs(Sprites(), batch_size=9, n_changed=1, seed=8), steps=2)
    weights = load_file(tmp_path / "a" / "model.safetensors")
    for name, tensor in model.state_dict().items():
        assert torch.equal(weights[name], tensor), name


def test_a_run_on_pairs_repeats_from_its_own_configuration_and_goes_on(tmp_path):
    assert train_on_pairs(tmp_path / "a") == 0
    config = ["train", "--config", str(tmp_path / "a" / "config.yaml"), "--progress", "false"]
    assert main([*config, "--run_dir", str(tmp_path / "b")]) == 0
    again = load_file(tmp_path / "b" / "model.safetensors")
    for name, tensor in load_file(tmp_path / "a" / "model.safetensors").items():
        assert torch.equal(again[name], tensor), name
    assert main([*config, "--run_dir", str(tmp_path / "a"), "--steps", "3"]) == 0
    assert load_run(tmp_path / "a").config["steps"] == 3


@pytest.mark.usefixtures("_quick_workers")
def test_every_run_of_an_ensemble_has_pairs_of_its_own_seed(tmp_path):
    assert train_on_pairs(tmp_path / "all", "--seeds", "[0,5]") == 0
    assert train_on_pairs(tmp_path / "alone", "--seed", "5") == 0
    alone = load_file(tmp_path / "alone" / "model.safetensors")
    for name, tensor in load_file(tmp_path / "all" / "seed-5" / "model.safetensors").items():
        assert torch.allclose(alone[name], tensor, atol=1e-6), name


def test_an_unknown_source_is_named_with_the_nearest(capsys):
    error = error_of(capsys, "--run_dir", "x", "--source", "ChangedFactorPair")
    assert "ChangedFactorPairs" in error


def test_another_source_is_another_run(tmp_path, capsys):
    assert train_on_pairs(tmp_path) == 0
    assert train_on_pairs(tmp_path, "--source.n_changed", "2") == 2
    assert "source.init_args.n_changed was 1 and is now 2" in capsys.readouterr().err


def test_few_labels_of_another_loss(tmp_path):
    loss = ["--loss", "FewLabelsLoss", "--loss.criterion", "BetaVAEBLoss"]
    source = ["--source", "FewLabels", "--source.n_labels", "8"]
    source += ["--model.latent_dim", "5"]  # a dimension for each factor
    assert train(tmp_path, *loss, "--loss.criterion.gamma", "7", *source) == 0
    run = load_run(tmp_path)
    assert run.criterion().criterion.gamma == 7
    assert run.config["source"]["init_args"] == {"n_labels": 8, "labels_seed": 0}
