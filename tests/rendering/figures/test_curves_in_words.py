from thalweg.core.languages import speaker
from thalweg.core.report import Curves, Line, Mark
from thalweg.rendering.figures.curves_in_words import describe_curves
from thalweg.rendering.translated import translated_block

LINES = (Line(label="training", x=(1, 2), y=(0.75, 0.5)), Line(label="run 1 (group 1)", x=(1, 2), y=(2.5, 3e9)))
MARK = Mark(x=1, until=2, label="CUR002 diverging", reason="the learning rate is 3x too high")
FIGURE = Curves(caption="c", x_label="epoch", y_label="loss", lines=LINES, marks=(MARK,))


def test_each_line_and_mark_is_said_by_itself_whatever_its_label_is():
    told = describe_curves(translated_block(FIGURE, "fa"), speaker("fa", isolated=True))
    assert "\\u206" not in told
    bare = told.translate(dict.fromkeys(range(0x2066, 0x206A)))
    assert bare.startswith("آموزش: از ۰٫۷۵ در دوره ۱ تا ۰٫۵ در دوره ۲؛ کمترین ۰٫۵ در ۲، بیشترین ۰٫۷۵ در ۱.")
    assert "(گروه ۱): از ۲٫۵ در دوره ۱ تا 3e+09 در دوره ۲" in bare
    assert "نشانه از ۱ تا ۲: CUR002 واگرایی (نرخ یادگیری ۳ برابر بیشتر از اندازه است)." in bare
    assert " at " not in bare


def test_somebody_elses_signs_are_made_visible_in_every_language():
    hostile = Curves(caption="c", x_label="epoch", y_label="y", lines=(Line(label="a\u202eb", x=(1,), y=(1,)),))
    assert "\u202e" not in describe_curves(translated_block(hostile, "fa"), speaker("fa", isolated=True))
