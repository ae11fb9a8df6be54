"""Codes and factors out of files, and `disvae evaluate` on them."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from disvae.cli.main import main
from disvae.cli.tables import read_factors, read_table
from disvae.metrics import evaluate

TABLE = np.arange(12.0).reshape(4, 3)


def write(folder, name):
    file = folder / name
    if file.suffix == ".npy":
        np.save(file, TABLE)
    elif file.suffix == ".npz":
        np.savez(file, mean=TABLE, std=TABLE + 1)
    elif file.suffix == ".csv":
        np.savetxt(file, TABLE, delimiter=",", header="a,b,c", comments="")
    else:
        with h5py.File(file, "w") as archive:
            archive["mean"] = TABLE
            archive["std"] = TABLE + 1
    return file


@pytest.mark.parametrize("name", ["t.npy", "t.npz:mean", "t.csv", "t.h5:mean", "t.hdf5:mean"])
def test_every_kind_of_file(tmp_path, name) -> None:
    write(tmp_path, name.partition(":")[0])
    table, columns = read_table(f"{tmp_path}/{name}")
    np.testing.assert_array_equal(table, TABLE)
    assert columns == (("a", "b", "c") if "csv" in name else None)


def test_csv_without_names_and_one_column(tmp_path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("1\n2\n\n3\n")
    table, columns = read_table(str(file))
    assert table.tolist() == [[1], [2], [3]]
    assert columns is None


def test_names_of_factors_in_an_archive(tmp_path) -> None:
    file, names = tmp_path / "t.npz", np.array(["shape", "size", "hue"])
    np.savez(file, labels=TABLE[:, :1], factors=TABLE, factor_names=names)
    assert read_factors(f"{file}:factors")[1] == ("shape", "size", "hue")
    assert read_factors(f"{file}:labels")[1] is None  # they are not its names
    np.savez(file, factors=TABLE, factor_names=names)
    table, columns = read_factors(str(file))
    assert (table.tolist(), columns) == (TABLE.tolist(), ("shape", "size", "hue"))
    np.savez(file, factors=TABLE)
    assert read_factors(str(file))[1] is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.npy", b"", "damaged"),
        ("t.npz", b"PK", "damaged"),
        ("t.h5", b"HDF", "damaged"),
        ("t.csv", b"", "empty"),
        ("t.csv", b"a,b\n", "has names of columns, and no rows"),
        ("t.csv", b"a,b\n1,2\n3\n", "line 3 has 1 cells, not 2"),
        ("t.csv", b"a,b\n1,\n", "line 2 has no value in column 1"),
        ("t.csv", b"1,2\n3,x\n", "column 1 has words in it, such as 'x'"),
        ("t.csv", b"a,b\n1,cat\n", "column 'b' has words in it, such as 'cat'"),
        ("t.csv", b"a,b\nNA,2\n3,4\n", "line 2 has no value in column 0"),
        ("t.csv", b"a;b\n1;2\n", "separated by semicolons, not by commas"),
        ("t.csv", b"1\t2\n3\t4\n", "separated by tabs, not by commas"),
        ("t.csv", b"a,a\n1,2\n", "two columns have the same name"),
        ("t.csv", b"\xff\xfe1,2", "no table in UTF-8"),
        ("t.csv", b",a\n0,2\n", "column 0 has no name.*as in t.csv:a"),
        ("t.mat", b"", "is none of .npy"),
    ],
)
def test_files_that_are_none(tmp_path, name, content, message) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_table(str(tmp_path / name))


def test_columns_are_asked_for_by_name_or_number(tmp_path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(',shape,"size, cm"\n0,cat,3\n1,ant,4\n', "utf-8-sig")
    assert read_table(f"{file}:2")[0].tolist() == [[3], [4]]
    table, names = read_factors(f"{file}:shape,2")
    assert (table.tolist(), names) == ([[1, 3], [0, 4]], ("shape", "size, cm"))
    with pytest.raises(ValueError, match="has no column 'hue'; its columns are , shape, size, cm"):
        read_table(f"{file}:hue")
    np.save(tmp_path / "t.npy", TABLE)
    assert read_table(f"{tmp_path}/t.npy:2,0")[0].tolist() == TABLE[:, [2, 0]].tolist()


def test_arrays_are_asked_for_by_name(tmp_path) -> None:
    for name in ("t.npz", "t.h5"):
        file = write(tmp_path, name)
        with pytest.raises(ValueError, match=r"has 2 arrays \(mean, std\): say which"):
            read_table(str(file))
        with pytest.raises(ValueError, match="has no array 'loc'"):
            read_table(f"{file}:loc")
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    with pytest.raises(ValueError, match="not a table of numbers"):
        read_table(f"{tmp_path}/text.npy")
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="damaged"):  # never unpickled
        read_table(f"{tmp_path}/object.npy")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_table(f"{tmp_path}/absent.npy")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [3, 4], size=(200, 2))
    codes = factors + 0.3 * rng.normal(size=factors.shape)
    np.save("codes.npy", codes)
    np.savetxt("factors.csv", factors, fmt="%d", delimiter=",", header="shape,size", comments="")
    return codes, factors


def test_evaluate_files(files, capsys) -> None:
    chosen = ["--codes", "codes.npy", "--factors", "factors.csv", "--metrics", "MIG, SAP"]
    assert main(["evaluate", *chosen, "--seed", "2", "--repeats", "3"]) == 0
    report = json.loads(Path("evaluation.json").read_text())
    expected = evaluate(*files, seed=2, metrics=["MIG", "SAP"], names=["shape", "size"], repeats=3)
    assert report["scores"] == json.loads(json.dumps(expected.to_json()))
    assert report["points"] == 200
    assert Path("evaluation.png").stat().st_size > 5_000
    assert Path("information.png").stat().st_size > 5_000
    printed = capsys.readouterr().out
    mig = expected["MIG"]
    assert f"{mig:.3f} ± {mig.standard_error:.3f}" in printed
    assert "size" in printed


def test_presets_and_metrics_that_cannot_be(files, capsys) -> None:
    chosen = ["--codes", "codes.npy", "--factors", "factors.csv", "--metrics", "MIG"]
    assert main(["evaluate", *chosen, "--preset", "disentanglement_lib"]) == 0
    assert json.loads(Path("evaluation.json").read_text())["scores"]["MIG"]["details"]["bins"] == 20
    np.save("one.npy", files[1][:, :1])
    one = ["--codes", "codes.npy", "--factors", "one.npy", "--metrics", "modularity,MIG"]
    capsys.readouterr()
    assert main(["evaluate", *one]) == 0
    assert "note: modularity was not computed: modularity compares" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either a run directory, or both"),
        (["--codes", "codes.npy"], "give either a run directory, or both"),
        (["run", "--codes", "codes.npy", "--factors", "factors.csv"], "give either a run"),
        (["--codes", "codes.npy", "--factors", "absent.csv"], "there is no file absent.csv"),
        (
            ["--codes", "codes.npy", "--factors", "factors.csv", "--metrics", "MEG"],
            "no metric 'MEG'",
        ),
    ],
)
def test_mistakes(files, capsys, arguments, message) -> None:
    assert main(["evaluate", *arguments]) == 2
    assert message in capsys.readouterr().err
