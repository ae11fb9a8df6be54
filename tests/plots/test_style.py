import matplotlib

from disvae.plots.style import COLOURS, styled


@styled
def font_size() -> float:
    return matplotlib.rcParams["font.size"]


def test_figures_are_drawn_in_one_style_and_the_users_is_left_alone():
    with matplotlib.rc_context({"font.size": 30.0}):
        assert font_size() == 9
        assert matplotlib.rcParams["font.size"] == 30


def luminance(colour: str) -> float:
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_are_told_from_the_paper_without_seeing_colour():
    assert len(set(COLOURS)) == len(COLOURS)
    assert all(1.05 / (luminance(colour) + 0.05) > 2 for colour in COLOURS)  # contrast with white
