import pytest

from disvae.training import read_dimension_names, write_dimension_names


def test_what_is_written_is_read(tmp_path):
    write_dimension_names(tmp_path, {3: " Größe ", 0: "position x", 2: "  "})
    assert read_dimension_names(tmp_path) == {0: "position x", 3: "Größe"}
    write_dimension_names(tmp_path, {1: "hue"})
    assert read_dimension_names(tmp_path) == {1: "hue"}
    assert [file.name for file in tmp_path.iterdir()] == ["dimensions.json"]


def test_no_names_yet(tmp_path):
    assert read_dimension_names(tmp_path) == {}


@pytest.mark.parametrize("content", ["{", "[1]", '{"x": "hue"}', '{"1": 2}', "3", '{"1": "a\\nb"}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "dimensions.json").write_text(content)
    with pytest.raises(ValueError, match=r"dimensions\.json does not hold names by dimension"):
        read_dimension_names(tmp_path)


@pytest.mark.parametrize("name", ["x" * 41, "two\nlines", "bell\a"])
def test_names_that_fit_nowhere_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="one line of at most 40 characters"):
        write_dimension_names(tmp_path, {0: name})
    assert not (tmp_path / "dimensions.json").exists()
