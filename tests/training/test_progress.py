import time

from disvae.training.progress import progress_bar


def test_a_log_file_is_not_filled_with_bars(capsys) -> None:
    with progress_bar(100, 0, "run", shown=True) as bar:
        for _ in range(10):
            bar.update(1)
            time.sleep(0.03)
    assert capsys.readouterr().err.count("run/s") <= 3  # at its beginning and its end


def test_a_bar_begins_where_a_run_goes_on() -> None:
    with progress_bar(10, 4, "step", shown=True) as bar:
        assert (bar.n, bar.total) == (4, 10)


def test_none_is_shown_if_none_is_wanted(capsys) -> None:
    with progress_bar(10, 0, "step", shown=False) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""
