from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.pages.drawings import check_drawing


def test_each_row_has_its_name_value_and_interval():
    dots = [
        Dot(label="few data", value=None),
        Dot(label="plain", value=0.8, low=0.75, high=0.85, note="1.2 M MACs"),
        Dot(label="with <1x1>", value=0.7, hollow=True),
    ]
    drawing = draw_dots("Accuracy", "share right", dots)
    assert check_drawing(drawing.svg) == drawing.svg
    assert drawing.alternative == "plain: 0.800 (0.750 to 0.850), 1.2 M MACs.\nwith <1x1>: 0.700."
    assert drawing.svg.count("<circle") == 2
    assert "var(--tw-paper)" in drawing.svg.partition("</style>")[2]
    assert "few data" in drawing.svg


def test_one_value_alone_has_an_axis():
    assert check_drawing(draw_dots("", "", [Dot(label="one", value=0.0)]).svg)
    assert check_drawing(draw_dots("", "", [Dot(label="none", value=float("nan"))]).svg)
