import numpy as np
import pytest
from scipy.io import savemat

from disvae.data.matlab import read_mat

ARRAY = np.random.default_rng(0).integers(256, size=(7, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize("compression", [False, True])
def test_one_array_of_several(compression, tmp_path) -> None:
    file = tmp_path / "a.mat"
    savemat(file, {"first": ARRAY[0], "im": ARRAY}, do_compression=compression)
    assert np.array_equal(read_mat(file, "im"), ARRAY)
    with pytest.raises(KeyError, match="mask"):
        read_mat(file, "mask")


@pytest.mark.parametrize("compression", [False, True])
def test_a_file_cut_anywhere_is_an_error(compression, tmp_path) -> None:
    file = tmp_path / "a.mat"
    savemat(file, {"im": ARRAY}, do_compression=compression)
    content = file.read_bytes()
    for keep in range(len(content)):
        file.write_bytes(content[:keep])
        try:
            assert np.array_equal(read_mat(file, "im"), ARRAY)  # what is missing was padding
        except (ValueError, KeyError):
            continue
        assert len(content) - keep < 8


@pytest.mark.parametrize(
    "content", [b"x" * 1000, bytes(1000), b"MATLAB 7.3" + bytes(114) + b"\0\2IM"]
)
def test_what_is_no_such_file_is_an_error(content, tmp_path) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises((ValueError, KeyError)):
        read_mat(tmp_path / "a.mat", "im")
