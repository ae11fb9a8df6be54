"""Two processes of half a batch each against one process with all of it."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack

import interpreter
import pytest
import torch
from safetensors.torch import load_file

MODEL = """
import json, sys
import torch
from torch.distributions import Normal

import disvae.divergence.adversarial
import disvae.losses.info_gan
from disvae import (
    BetaTCVAELoss, BetaVAEBLoss, BurgessVAE, FactorVAELoss, Trainer, VAELoss
)
from disvae.losses import (
    AAELoss, AdaGVAELoss, DIPVAELoss, FactorVAEPriorLoss, FewLabelsLoss, HFSLoss, InfoGANLoss,
    InfoVAELoss, InfoWGANGPLoss, JointVAELoss, QLAELoss
)
from disvae.models import BurgessMixedVAE, BurgessQLAE, Discriminator, InfoGAN

class Fixed(BurgessVAE):
    '''Its noise is a function of the image, so that it does not matter who draws it.'''

    def forward(self, x):
        posterior = self.encode(x)
        noise = torch.sin(1e3 * x.flatten(1)[:, : self.latent_dim])
        z = posterior.loc + posterior.scale * noise
        return posterior, z, self.decode(z)

class FixedMixed(BurgessMixedVAE):
    '''The same with a categorical dimension, whose columns are the probabilities.'''

    def forward(self, x):
        posterior = self.encode(x)
        noise = torch.sin(1e3 * x.flatten(1)[:, : self.n_continuous])
        z = posterior.continuous.loc + posterior.continuous.scale * noise
        z = torch.cat([z, *(block.exp() for block in posterior.logits)], dim=1)
        return posterior, z, self.decode(z)

# So that of a loss which draws codes itself: the same for every image.
torch.distributions.normal._standard_normal = lambda shape, dtype, device: torch.linspace(
    -1, 1, shape[-1], dtype=dtype, device=device
).expand(shape)
# So is the permutation a function of the codes' places.
disvae.divergence.adversarial.permute_dims = lambda z, sizes: torch.cat(
    [block.roll(3 * j + 1, 0) for j, block in enumerate(z.split(sizes, 1))], dim=1
)
# And what a generator is given, and the points where a critic's slope is taken.
def imagine(model, real):
    numbers = torch.sin(1e3 * real.flatten(1)[:, : model.columns + model.n_noise])
    columns, noise = numbers.split([model.columns, model.n_noise], 1)
    return columns, model.likelihood.mean(model.generate(columns, noise))

disvae.losses.info_gan._imagine = imagine
disvae.losses.info_gan.between = lambda real, fake: 0.3 * real + 0.7 * fake.detach()
torch.manual_seed(0)
linear, unflatten = torch.nn.Linear, torch.nn.Unflatten
model = Fixed((1, 32, 32), latent_dim=4).double()
mixed = FixedMixed((1, 32, 32), n_continuous=2, categories=(3, 2)).double()
quantised = BurgessQLAE((1, 32, 32), latent_dim=4).double()
trunk = torch.nn.Sequential(torch.nn.Flatten(), linear(1024, 8), torch.nn.Softplus())
game = InfoGAN(
    torch.nn.Sequential(linear(2 + 3 + 1, 1024), unflatten(1, (1, 32, 32))), trunk,
    linear(8, 1), linear(8, 2 * 2 + 3), n_continuous=2, categories=(3,), n_noise=1,
).double()
"""

GRADIENTS = (
    MODEL
    + """
import copy
from torch.nn.parallel import DistributedDataParallel
from disvae.training.state import Players

torch.distributed.init_process_group("gloo")
rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
x = torch.rand(64, 1, 32, 32, generator=torch.Generator().manual_seed(1)).double()
pairs = (x, x.flip(0))
labelled = (x, x.roll(5, 0), x.flatten(1)[:, :3])
of_this_process = lambda part: part.chunk(world)[rank]
small = lambda width=4: Discriminator(width, 16, 2)
losses = {
    "vae": VAELoss(),
    "beta_b": BetaVAEBLoss(gamma=10.0, capacity=20.0),
    "mws": BetaTCVAELoss(1000),
    "mss": BetaTCVAELoss(1000, estimator="mss"),
    "jackknife": BetaTCVAELoss(1000, estimator="jackknife"),
    "factor": FactorVAELoss(4, discriminator=small()),
    "prior": FactorVAEPriorLoss(4, discriminator=small()),
    "aae": AAELoss(4, discriminator=small()),
    "dip": DIPVAELoss(),
    "info": InfoVAELoss(),
    "hfs": HFSLoss(),
    "mixed-joint": JointVAELoss(gamma=10.0),
    "mixed-mws": BetaTCVAELoss(1000),
    "mixed-factor": FactorVAELoss(7, discriminator=small(7)),
    "quantised": QLAELoss(),
    "game-gan": InfoGANLoss(),
    "game-wgan-gp": InfoWGANGPLoss(),
    "ada": AdaGVAELoss(),
    "few": FewLabelsLoss(FactorVAELoss(4, discriminator=small())),
    "few_pairs": FewLabelsLoss(AdaGVAELoss()),
}
batches = {"ada": pairs, "few": labelled, "few_pairs": (*pairs, *labelled[1:])}
report = {}
models = {"mixed": mixed, "quantised": quantised, "game": game}
for name, criterion in losses.items():
    chosen = models.get(name.partition("-")[0], model)
    players = Players(copy.deepcopy(chosen), criterion.double(), alone=world == 1)
    if world > 1:
        players = DistributedDataParallel(players)
    torch.manual_seed(7)
    batch = batches.get(name, x)
    is_one = torch.is_tensor(batch)
    mine = of_this_process(batch) if is_one else tuple(map(of_this_process, batch))
    loss, terms = players(mine, 5)
    loss.backward()
    total = loss.detach().clone()
    torch.distributed.all_reduce(total)
    gradients = [p.grad.flatten() for p in players.parameters() if p.grad is not None]
    report[name] = {"loss": total / world, "gradient": torch.cat(gradients)}
if rank == 0:
    torch.save(report, sys.argv[1])
torch.distributed.destroy_process_group()
"""
)

TRAINING = (
    MODEL
    + """
from disvae.data import Sprites, random_subset
from disvae.data.array import FactorArray

data = random_subset(Sprites(), 64)
images = data.images(range(64))[:, :, ::2, ::2]
data = FactorArray(images, data.factors(range(64)), data.space.names)
trainer = Trainer(
    model, VAELoss(), lr=1e-3, batch_size=int(sys.argv[2]), run_dir=sys.argv[1],
    precision="64-true", accelerator="cpu", log_every=2, checkpoint_every=3, progress=False,
    devices=int(sys.argv[4]) if len(sys.argv) > 4 else 1,
)
trainer.fit(data, steps=int(sys.argv[3]))
"""
)


def run(n, script, tmp_path, *arguments):
    """The script in so many processes of torchrun, or in one that may start the others."""
    file = tmp_path / "script.py"
    file.write_text(script)
    if not n:
        assert interpreter.run(file, *arguments, output=tmp_path / "output.txt") == 0
        return
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(n)]
    finished = subprocess.run(
        [sys.executable, *launcher, str(file), *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]


def run_as_torchrun_would(n, script, tmp_path, *arguments):
    """The script in so many processes, which know of each other by torchrun's variables."""
    file = tmp_path / "script.py"
    file.write_text(script)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    with ExitStack() as stack:
        outputs = [tmp_path / f"output-{rank}.txt" for rank in range(n)]
        processes = []
        for rank, output in enumerate(outputs):
            place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(n)}
            process = interpreter.running(file, *arguments, output=output, **address, **place)
            processes.append(stack.enter_context(process))
        for process, output in zip(processes, outputs, strict=True):
            process.join(300)
            assert process.exitcode == 0, output.read_text()[-3000:]


@pytest.fixture(scope="module")
def gradients(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradients")
    for n in (1, 2):
        run_as_torchrun_would(n, GRADIENTS, folder, folder / f"{n}.pt")
    return [torch.load(folder / f"{n}.pt") for n in (1, 2)]


NAMES = "vae beta_b mws mss jackknife factor prior aae dip info hfs ada few few_pairs"
NAMES += " mixed-joint mixed-mws mixed-factor quantised"


@pytest.mark.parametrize("name", NAMES.split())
def test_loss_and_gradients_are_those_of_the_whole_batch(gradients, name) -> None:
    one, two = (report[name] for report in gradients)
    assert float(two["loss"]) == pytest.approx(float(one["loss"]), rel=1e-9)
    scale = one["gradient"].abs().max()
    assert (one["gradient"] - two["gradient"]).abs().max() < 1e-9 * scale


def test_training_is_that_of_one_process_and_resumes(tmp_path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    run(None, TRAINING, tmp_path, one, 16, 6)
    run(2, TRAINING, tmp_path, two, 8, 4)  # stops in the middle, and goes on
    run(None, TRAINING, tmp_path, two, 8, 6, 2)  # now as the trainer starts the other process
    logs = [
        [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        for folder in (one, two)
    ]
    assert [line["step"] for line in logs[1]] == [2, 4, 6]  # written once
    for a, b in zip(*logs, strict=True):
        for name in ("loss", "kl", "reconstruction"):
            assert b[name] == pytest.approx(a[name], rel=1e-6)
    expected, found = (load_file(folder / "model.safetensors") for folder in (one, two))
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, rtol=1e-5, atol=1e-7)


def test_the_command_starts_the_processes(tmp_path) -> None:
    command = [sys.executable, "-m", "disvae.cli", "train", "--devices", "2", "--n_images", "32"]
    command += ["--accelerator", "cpu", "--steps", "2", "--batch_size", "4", "--progress", "false"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(
        [*command, "--run_dir", str(tmp_path / "run"), "--json"],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert json.loads(finished.stdout)["steps"] == 2
    assert len((tmp_path / "run/log.jsonl").read_text().splitlines()) == 1
