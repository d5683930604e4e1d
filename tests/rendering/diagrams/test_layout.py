import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.rendering.diagrams.layout import place_boxes
from thalweg.rendering.diagrams.straightening import ENTRY


@st.composite
def graphs(draw):
    """Boxes that each read some earlier ones or the entry; the last reads all loose ends."""
    count = draw(st.integers(1, 9))
    sources = {}
    for index in range(count):
        earlier = ["in", *sources]
        sources[f"b{index}"] = draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=3, unique=True))
    read = {name for names in sources.values() for name in names}
    sources["end"] = [name for name in sources if name not in read]
    return sources


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_stand_below_what_they_read_and_never_touch(sources):
    placement = place_boxes(dict.fromkeys(sources, 80.0), sources, gap=10.0, lane=4.0)
    level = {**placement.level, "in": 0}
    for key, names in sources.items():
        for name in names:
            assert level[name] < level[key]
            mark = name if name in sources else ENTRY
            for between in range(level[name] + 1, level[key]):
                assert (mark, between) in placement.x, "a line that passes a level has no lane there"
    for at in range(placement.levels + 1):
        row = sorted(
            (x, 80.0 if placement.level.get(key) == at else 4.0) for (key, lv), x in placement.x.items() if lv == at
        )
        for (left, wide), (right, wide2) in itertools.pairwise(row):
            assert right - left >= (wide + wide2) / 2 + 10 - 1e-3
    assert level["end"] == placement.levels


def test_the_main_path_of_a_residual_block_is_straight_and_its_skip_too():
    sources = {"conv1": ["x"], "conv2": ["conv1"], "conv3": ["conv2"], "add": ["conv3", "x"]}
    placement = place_boxes(dict.fromkeys(sources, 80.0), sources)
    assert {round(placement.x[key, placement.level[key]], 6) for key in sources} == {0.0}
    assert len({round(placement.x[ENTRY, at], 6) for at in (1, 2, 3)}) == 1


def test_branches_stand_even_around_what_they_come_from():
    sources = {**{f"b{index}": ["x"] for index in range(4)}, "join": [f"b{index}" for index in range(4)]}
    placement = place_boxes(dict.fromkeys(sources, 80.0), sources)
    xs = [placement.x[f"b{index}", 1] for index in range(4)]
    assert abs(sum(xs)) < 1e-6
    assert placement.x["join", 2] == 0
