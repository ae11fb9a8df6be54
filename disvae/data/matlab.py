"""Arrays of MATLAB files, up to version 7.2; later ones are HDF5."""

from pathlib import Path

from numpy.typing import NDArray


def read_mat(file: Path, name: str) -> NDArray:
    """One array of a file.

    Raises:
        ValueError: the file is damaged, or no such file.
        KeyError: it has no such array.
    """
    from scipy.io import loadmat

    try:
        content = loadmat(file, variable_names=[name])
    except Exception as error:  # SciPy's errors on damaged files are of a dozen kinds
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return content[name]
