import json
import time
from io import BytesIO

import pytest
import torch
from PIL import Image

from disvae import BurgessVAE
from disvae.training.log import (
    Log,
    RunningMeans,
    Stopwatch,
    check_finite,
    check_weights,
    read_log,
)


def test_means_survive_a_checkpoint():
    means = RunningMeans()
    for value in (1.0, 2.0):
        means.add({"a": torch.tensor(value), "b": torch.tensor(10 * value)})
    restored = RunningMeans()
    restored.load_state_dict(means.state_dict(), "cpu")
    restored.add({"a": torch.tensor(6.0), "b": torch.tensor(0.0)})
    assert restored.read() == {"a": 3.0, "b": 10.0}
    restored.reset()
    assert restored.read() == {}


def test_adding_does_not_change_the_terms():
    first, means = torch.tensor(1.0), RunningMeans()
    means.add({"a": first})
    means.add({"a": torch.tensor(1.0)})
    assert first == 1.0


def test_lines_after_the_step_and_a_cut_line_are_dropped(tmp_path):
    lines = [json.dumps({"step": step, "a": 0.0}) for step in (10, 20, 30)]
    (tmp_path / "log.jsonl").write_text("\n".join([*lines, '{"step": 4']))
    log = Log(tmp_path, 20)
    log.write(25, {"a": 1.0})
    log.close()
    text = (tmp_path / "log.jsonl").read_text()
    assert [json.loads(line)["step"] for line in text.splitlines()] == [10, 20, 25]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_named(value):
    check_finite(3, {"good": 1e30})
    with pytest.raises(FloatingPointError, match="up to step 3 is the mean of 'bad'"):
        check_finite(3, {"good": 1.0, "bad": value})
    module = torch.nn.Linear(2, 2)
    check_weights(3, module)
    with torch.no_grad():
        module.bias[1] = value
    with pytest.raises(FloatingPointError, match="bias is not finite after step 3"):
        check_weights(3, module)


def test_a_term_of_some_steps_has_the_mean_over_these():
    means = RunningMeans()
    for terms in ({"a": 1.0}, {"a": 2.0, "rare": 10.0}, {"a": 6.0}):
        means.add({name: torch.tensor(value) for name, value in terms.items()})
    assert means.read() == {"a": 3.0, "rare": 10.0}


def test_a_damaged_log_is_named(tmp_path):
    (tmp_path / "log.jsonl").write_text("nonsense\n")
    with pytest.raises(ValueError, match=r"log.jsonl holds a line that is no log line: 'nonsense"):
        Log(tmp_path, 20)


def test_the_watch_tells_parts_apart_and_leaves_out_what_lies_between():
    start = time.perf_counter()
    watch = Stopwatch()
    for _ in range(2):
        watch.begin()
        watch.count((torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2), torch.rand(5, 3)))
        time.sleep(0.02)
        watch.lap("forward")
        watch.lap("update")
        time.sleep(0.05)  # between two steps
    record = watch.read(3, torch.device("cpu"))
    elapsed = time.perf_counter() - start
    assert record["ms_forward"] >= 20
    assert record["ms_update"] < record["ms_forward"]
    seconds = 3 * 20 / record["images_per_second"]  # two steps of five pairs, by three processes
    assert 0.14 <= seconds <= elapsed
    assert 50 < record["peak_memory_mib"] < 100_000
    watch.begin()
    assert watch.read(1, torch.device("cpu")).keys() == {"images_per_second", "peak_memory_mib"}


def test_pictures_and_histograms_for_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = BurgessVAE((3, 32, 32), latent_dim=4).bfloat16().train()
    log = Log(tmp_path, 0)
    log.show(7, model, torch.rand(12, 3, 32, 32))
    log.close()
    assert model.training
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    picture = Image.open(BytesIO(events.Images("reconstructions")[0].encoded_image_string))
    assert picture.size == (8 * 34 + 2, 2 * 34 + 2)
    assert [events.Histograms(f"codes/{j}")[0].step for j in range(4)] == [7] * 4
    assert events.Histograms("codes/0")[0].histogram_value.num == 12


def test_of_a_sum_that_is_not_finite_the_part_is_named() -> None:
    means = {
        "loss": float("nan"),
        "objective": float("nan"),
        "kl": 1.0,
        "total_correlation": float("nan"),
    }
    with pytest.raises(
        FloatingPointError, match=r"step 7 is the mean of 'total_correlation' \(nan\);"
    ):
        check_finite(7, means)
    with pytest.raises(FloatingPointError, match="'loss'"):
        check_finite(7, {"loss": float("inf"), "kl": 1.0})


def test_a_log_is_read_as_it_was_written(tmp_path):
    log = Log(tmp_path, step=0)
    log.write(10, {"kl": 2.5})
    log.write(20, {"kl": 3.0, "total_correlation": 0.1})
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 30, "k')  # cut short by a kill
    expected = [{"step": 10, "kl": 2.5}, {"step": 20, "kl": 3.0, "total_correlation": 0.1}]
    assert read_log(tmp_path) == expected
    with pytest.raises(FileNotFoundError, match=r"nowhere has no log\.jsonl"):
        read_log(tmp_path / "nowhere")
    (tmp_path / "log.jsonl").write_text("nonsense\n")
    with pytest.raises(ValueError, match="a line that is no log line: 'nonsense"):
        read_log(tmp_path)
