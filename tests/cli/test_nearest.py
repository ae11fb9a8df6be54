import pytest

from disvae.cli.nearest import nearest


@pytest.mark.parametrize(
    ("word", "expected"),
    [("batch-size", "'batch_size'"), ("BATCHSIZE", "'batch_size'"), ("sed", "'seed'")],
)
def test_the_nearest_name_is_offered(word, expected):
    assert f"did you mean {expected}?" in nearest(word, ["seed", "batch_size", "steps"])


def test_nothing_is_offered_for_what_is_far_from_all():
    assert nearest("qqqq", ["seed", "steps"]) == " (known: seed, steps)"


def test_a_long_list_is_not_shown():
    assert nearest("qqqq", [f"name{i}" for i in range(40)]) == ""
