from thalweg.core.languages import speaking
from thalweg.rendering.columns import columns, fenced, heading, to_left, to_right

HALF_SPACE = "لایه\u200cها"


def test_a_joiner_takes_no_column():
    assert columns(HALF_SPACE) == len(HALF_SPACE) - 1
    assert columns(to_left(HALF_SPACE, 10)) == columns(to_right(HALF_SPACE, 10)) == 10


def test_only_what_is_read_from_the_right_is_fenced():
    assert fenced("conv1 ۷٬۷۷۶") == "conv1 ۷٬۷۷۶"
    assert fenced("نوع") == "\u200eنوع\u200e"


def test_columns_of_a_heading_grow_with_longer_words():
    heads = (("epoch", 5), ("train loss", 12), ("val loss", 10))
    english, sizes = heading(heads)
    assert (english, sizes) == ("epoch  train loss  val loss", (5, 12, 10))
    with speaking("fa"):
        persian, wider = heading(heads)
    assert columns(persian) == sum(wider)
    assert wider[2] > 10
