from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from disvae import VAE, BetaVAEHLoss, BurgessVAE, FactorVAELoss, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training import Trainer, encode_dataset, import_model, load_run
from disvae.training.run import RunDirectory

SHAPE = (1, 64, 64)


def data(n: int = 12):
    return random_subset(Sprites(), n, seed=0)


def train(run: Path, steps: int = 2, **settings) -> Trainer:
    torch.manual_seed(5)
    settings = {"batch_size": 4, "seed": 5, "accelerator": "cpu", "progress": False, **settings}
    criterion = settings.pop("criterion", None) or BetaVAEHLoss(beta=2.0)
    model = settings.pop("model", None) or BurgessVAE(SHAPE, latent_dim=3)
    trainer = Trainer(model, criterion, run_dir=run, **settings)
    trainer.fit(data(), steps=steps)
    return trainer


def test_a_run_directory_alone_rebuilds_everything(tmp_path):
    trainer = train(tmp_path, criterion=FactorVAELoss(3, gamma=7.0))
    run = load_run(tmp_path)
    indices = torch.arange(12)
    x = data().floats(indices)
    assert torch.equal(run.model().represent(x), trainer.model.represent(x))
    criterion = run.criterion()
    assert criterion.gamma == 7.0
    z = torch.randn(5, 3)
    expected = trainer.criterion.discriminator(z)
    assert torch.equal(criterion.discriminator(z), expected)
    assert torch.equal(run.data().images(indices), data().images(indices))
    assert run.config["steps"] == 2


def test_the_untrained_model_has_the_weights_of_the_seed(tmp_path):
    train(tmp_path)
    run = load_run(tmp_path)
    before = torch.get_rng_state()
    untrained = run.untrained_model()
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(5)
    initial = BurgessVAE(SHAPE, latent_dim=3)
    pairs = zip(untrained.parameters(), initial.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(
        not torch.equal(a, b)
        for a, b in zip(untrained.parameters(), run.model().parameters(), strict=True)
    )


def test_another_run_is_refused(tmp_path):
    train(tmp_path)
    with pytest.raises(ValueError, match=r"another run: loss.init_args.beta was 2.0 and is now 3"):
        train(tmp_path, criterion=BetaVAEHLoss(beta=3.0))
    with pytest.raises(ValueError, match=r"lr was 0.0001 and is now 0.01"):
        train(tmp_path, lr=0.01)


def test_a_run_that_took_no_step_is_in_nobodys_way(tmp_path):
    for criterion in (Fails(), BetaVAEHLoss(beta=3.0)):
        with suppress(RuntimeError):
            train(tmp_path, criterion=criterion)
    assert load_run(tmp_path).criterion().beta == 3
    (tmp_path / "checkpoint.pt").unlink()  # whose steps the log still tells of
    with pytest.raises(ValueError, match="another run"):
        train(tmp_path, criterion=BetaVAEHLoss(beta=4.0))


def test_weights_that_were_imported_are_not_trained_over(tmp_path):
    folder = import_model(BurgessVAE(SHAPE, latent_dim=3), tmp_path / "run", data()).path
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match="another run"):
        train(folder)
    assert (folder / "model.safetensors").read_bytes() == before


class Fails(VAELoss):
    """A loss with a mistake."""

    def regularizer(self, *_):
        raise RuntimeError("a mistake")


def test_more_steps_go_on_and_end_as_if_asked_for_at_once(tmp_path):
    train(tmp_path / "a", steps=2)
    train(tmp_path / "a", steps=4)
    train(tmp_path / "b", steps=4)
    train(tmp_path / "b", steps=1)  # has them already
    files = [tmp_path / run / "model.safetensors" for run in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert [load_run(tmp_path / run).config["steps"] for run in "ab"] == [4, 4]


def test_a_run_that_goes_on_keeps_its_results_until_its_end(tmp_path):
    trainer = train(tmp_path, steps=2, checkpoint_every=1)
    (tmp_path / "evaluation.json").write_text("{}")
    train(tmp_path, steps=2, checkpoint_every=1)  # nothing to do: all is kept
    assert (tmp_path / "evaluation.json").exists()

    def stop(*_):
        raise KeyboardInterrupt

    before = (tmp_path / "model.safetensors").read_bytes()
    hook = trainer.criterion.register_forward_hook(lambda *_: stop() if trainer.step == 3 else None)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(data(), steps=5)
    hook.remove()
    assert (tmp_path / "evaluation.json").exists()
    assert (tmp_path / "model.safetensors").read_bytes() == before
    assert load_run(tmp_path).config["steps"] == 2
    train(tmp_path, steps=3, checkpoint_every=1)  # ends where it was stopped
    assert not (tmp_path / "evaluation.json").exists()
    assert (tmp_path / "model.safetensors").read_bytes() != before
    assert load_run(tmp_path).config["steps"] == 3


@pytest.mark.untyped
def test_numbers_of_numpy_are_described(tmp_path):
    model = BurgessVAE(SHAPE, latent_dim=np.int64(3))
    train(tmp_path, model=model, criterion=BetaVAEHLoss(np.float64(2.0)), lr=np.float64(1e-3))
    run = load_run(tmp_path)
    assert run.model().latent_dim == 3
    assert (run.config["lr"], run.criterion().beta) == (1e-3, 2.0)


@pytest.mark.parametrize("content", [b"", b"cut short"])
def test_damaged_weights_are_named(tmp_path, content):
    train(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.safetensors does not hold this run's weights"):
        load_run(tmp_path).model()


@pytest.mark.parametrize(("text", "message"), [("", "must hold options"), ("a: [", "is not YAML")])
def test_a_damaged_configuration_is_named(tmp_path, text, message):
    train(tmp_path)
    (tmp_path / "config.yaml").write_text(text)
    for attempt in (load_run, train):
        with pytest.raises(ValueError, match=rf"config\.yaml.*{message}"):
            attempt(tmp_path)


def test_a_class_that_cannot_be_imported_is_named(tmp_path):
    train(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("disvae.models.Burgess", "elsewhere.Burgess"))
    with pytest.raises(ValueError, match=r"cannot import elsewhere\.BurgessVAE"):
        load_run(tmp_path, trust=["elsewhere"]).model()


def test_a_damaged_checkpoint_is_named(tmp_path):
    train(tmp_path)
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint\.pt cannot be read"):
        train(tmp_path, steps=3)


def test_an_unfinished_run_says_so(tmp_path):
    train(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="training has not ended"):
        load_run(tmp_path).model()


def test_what_is_no_run_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a run directory"):
        load_run(tmp_path)


def test_modules_of_ones_own_are_not_described(tmp_path):
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(4096, 4))
    decoder = nn.Sequential(nn.Linear(2, 4096), nn.Unflatten(1, SHAPE))
    train(tmp_path, model=VAE(encoder, decoder, latent_dim=2), criterion=VAELoss())
    run = load_run(tmp_path)
    assert run.config["model"] is None
    with pytest.raises(ValueError, match="does not say how to build its model"):
        run.model()


def test_codes_are_the_posterior_means_in_the_order_asked_for():
    model = BurgessVAE(SHAPE, latent_dim=3)
    indices = torch.tensor([7, 2, 9, 2, 0])
    codes = encode_dataset(model, data(), indices, batch_size=2)
    x = data().images(indices).float()
    torch.testing.assert_close(codes, model.encode(x).mean)
    assert not codes.requires_grad


def test_a_run_that_was_stopped_may_end_with_fewer_steps_than_planned(tmp_path) -> None:
    criterion, calls = VAELoss(), []

    def interrupt_the_third(*_):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt

    hook = criterion.register_forward_hook(interrupt_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, criterion=criterion, steps=9, checkpoint_every=1)
    hook.remove()
    assert load_run(tmp_path).config["steps"] == 9
    train(tmp_path, criterion=criterion, steps=2, checkpoint_every=1)
    assert load_run(tmp_path).config["steps"] == 2
    assert load_run(tmp_path).model()


def test_more_steps_keep_the_provenance_of_the_first_start(tmp_path) -> None:
    for steps, command in ((2, "first"), (4, "second")):
        RunDirectory(tmp_path, {"steps": steps, "provenance": {"command": [command]}})
    config = load_run(tmp_path).config
    assert config == {"steps": 4, "provenance": {"command": ["first"]}}
