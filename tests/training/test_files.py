import pickle

import pytest
import torch
from safetensors.torch import load_file

from disvae.files import write_atomically
from disvae.training.files import (
    read_checkpoint,
    write_checkpoint,
    write_tensors,
)

STATE = {"step": 3, "nested": [{"weights": torch.arange(1000.0)}], "text": "a"}


def test_a_checkpoint_comes_back(tmp_path):
    write_checkpoint(tmp_path / "c.pt", STATE)
    state = read_checkpoint(tmp_path / "c.pt")
    assert state["step"] == 3
    assert torch.equal(state["nested"][0]["weights"], torch.arange(1000.0))


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.999])
def test_a_truncated_checkpoint_is_named(tmp_path, keep):
    file = tmp_path / "c.pt"
    write_checkpoint(file, STATE)
    content = file.read_bytes()
    file.write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    with pytest.raises(ValueError, match=r"c\.pt cannot be read .*delete it"):
        read_checkpoint(file)


def test_a_flipped_bit_is_noticed(tmp_path):
    file = tmp_path / "c.pt"
    write_checkpoint(file, STATE)
    content = bytearray(file.read_bytes())
    at = content.index(torch.arange(500.0, 510.0).numpy().tobytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="wrong checksum"):
        read_checkpoint(file)


class Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_nothing_is_executed(tmp_path, capsys):
    torch.save({"state": Evil()}, tmp_path / "torch.pt")
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("torch.pt", "pickle.pt"):
        with pytest.raises(ValueError, match="cannot be read"):
            read_checkpoint(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "a"
    write_atomically(file, b"old")
    with pytest.raises(TypeError):
        write_atomically(file, None)
    assert file.read_bytes() == b"old"
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_tensors_may_share_memory_and_lie_in_any_order(tmp_path):
    weight = torch.rand(2, 3, 4, 5)
    state = {
        "a": weight,
        "tied": weight,
        "last": weight.to(memory_format=torch.channels_last),
        "t": weight.transpose(0, 1),
    }
    write_tensors(tmp_path / "w.safetensors", state)
    loaded = load_file(tmp_path / "w.safetensors")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_any_changed_byte_is_noticed(tmp_path) -> None:
    file = tmp_path / "checkpoint.pt"
    write_checkpoint(file, {"step": 3, "moment": torch.ones(2)})
    content = file.read_bytes()
    for position in range(0, len(content), 7):
        file.write_bytes(
            content[:position] + bytes([content[position] ^ 255]) + content[position + 1 :]
        )
        with pytest.raises(ValueError, match="cannot be read"):
            read_checkpoint(file)
    file.write_bytes(content)
    assert read_checkpoint(file)["moment"].tolist() == [1.0, 1.0]
