import pytest
import torch
from torch import nn

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training import load_run
from disvae.training.average import Average


def test_average_is_the_weighted_sum_of_all_weights() -> None:
    layer = nn.Linear(1, 1, bias=False)
    values = [1.0, 5.0, -2.0, 3.0]
    with torch.no_grad():
        layer.weight.fill_(values[0])
        average = Average(layer, 0.8)
        for value in values[1:]:
            layer.weight.fill_(value)
            average.update()
    expected = 0.8**3 * 1.0 + 0.2 * (0.8**2 * 5.0 + 0.8 * -2.0 + 3.0)
    assert average.module.weight.item() == pytest.approx(expected)


def test_buffers_are_the_latest() -> None:
    layer = nn.BatchNorm1d(2)
    average = Average(layer, 0.9)
    layer(torch.randn(10, 2))
    average.update()
    assert torch.equal(average.module.running_mean, layer.running_mean)
    assert average.module.num_batches_tracked == 1


@pytest.mark.parametrize("decay", [0.0, 1.0, -1.0])
def test_decay_is_a_share(decay) -> None:
    with pytest.raises(ValueError, match="ema_decay must be between 0 and 1"):
        Trainer(BurgessVAE((1, 64, 64)), VAELoss(), ema_decay=decay)


def trainer(run, **settings) -> Trainer:
    torch.manual_seed(0)
    model = BurgessVAE((1, 64, 64), latent_dim=2)
    settings = {"lr": 1e-3, "batch_size": 4, "checkpoint_every": 2, **settings}
    return Trainer(model, VAELoss(), run_dir=run, accelerator="cpu", progress=False, **settings)


def test_a_run_keeps_the_average_and_resumes_with_it(tmp_path) -> None:
    data = random_subset(Sprites(), 16)
    whole = trainer(tmp_path / "whole", ema_decay=0.9)
    whole.fit(data, steps=5)
    trainer(tmp_path / "stopped", ema_decay=0.9).fit(data, steps=3)
    resumed = trainer(tmp_path / "stopped", ema_decay=0.9)
    resumed.fit(data, steps=5)
    kept = load_run(tmp_path / "whole").model()
    pairs = zip(*(m.parameters() for m in (whole.averaged, resumed.averaged, kept)), strict=True)
    assert all(torch.equal(a, b) and torch.equal(a, c) for a, b, c in pairs)
    plain = trainer(None)
    assert plain.averaged is None
    plain.fit(data, steps=5)  # averaging does not change training
    pairs = zip(whole.model.parameters(), plain.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(kept.parameters()), next(whole.model.parameters()))


def test_in_bfloat16_the_average_moves_all_the_same() -> None:
    model = torch.nn.Linear(1, 1, bias=False).bfloat16()
    model.weight.data.fill_(1.0)
    average = Average(model, decay=0.999)
    model.weight.data.fill_(2.0)
    for _ in range(1000):
        average.update()
    weight = average.module.weight
    assert weight.dtype == torch.float32
    assert weight.item() == pytest.approx(2 - 0.999**1000, rel=1e-4)
