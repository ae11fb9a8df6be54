import pytest

from disvae.data import MNIST, Sprites, load


@pytest.mark.parametrize("name", ["sprites", "Sprites", "SPRITES"])
def test_by_name(name: str) -> None:
    assert isinstance(load(name), Sprites)


def test_with_a_folder(shared_data, tmp_path) -> None:
    for file in (shared_data / "mnist").iterdir():
        (tmp_path / file.name.replace("t10k", "train")).write_bytes(file.read_bytes())
    assert isinstance(load("mnist", tmp_path), MNIST)


def test_medical_set_is_looked_for_in_its_folder(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}.*pathmnist.npz"):
        load("PathMNIST", tmp_path)


@pytest.mark.parametrize(
    ("name", "right"), [("dsprite", "dsprites"), ("chest-mnist", "chestmnist")]
)
def test_unknown_name(name: str, right: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{right}'"):
        load(name)
