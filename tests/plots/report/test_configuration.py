from disvae.plots.report.configuration import class_name, flatten, rows

ONE = {
    "loss": {"class_path": "disvae.losses.VAELoss", "init_args": {}},
    "model": {"class_path": "mine.Net", "init_args": {"shape": [1, 64, 64], "width": None}},
    "seed": 0,
    "provenance": {"time": "then"},
}
OTHER = {**ONE, "loss": {"class_path": "disvae.losses.HFS", "init_args": {"gamma": 2.0}}, "seed": 0}


def test_settings_stand_under_dotted_names():
    assert flatten(ONE["model"], "model") == {
        "model": "mine.Net",
        "model.shape": "1, 64, 64",
        "model.width": "none",
    }


def test_all_settings_of_one_run_but_where_it_comes_from():
    assert rows([ONE], only_differences=False) == [
        ("loss", ["VAELoss"]),
        ("model", ["mine.Net"]),
        ("model.shape", ["1, 64, 64"]),
        ("model.width", ["none"]),
        ("seed", ["0"]),
    ]


def test_only_what_differs_part_by_part():
    assert rows([ONE, OTHER], only_differences=True) == [
        ("loss", ["VAELoss", "HFS"]),
        ("loss.gamma", ["–", "2.0"]),
    ]


def test_odd_configurations_are_shown_all_the_same():
    odd = {"loss": {"class_path": "a.B", "init_args": [1]}, "x": {}}
    assert flatten(odd) == {"loss": "a.B", "loss.init_args": "1", "x": "none"}
    assert class_name({"loss": None}, "loss") == "loss made in Python"
    assert class_name(ONE, "model") == "Net"
