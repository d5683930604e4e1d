from thalweg.rendering.terminal import painter


def test_a_text_is_coloured_by_its_kind_and_only_where_colours_are_shown():
    assert painter(colour=True)("a", "error") == "\x1b[1;31ma\x1b[0m"
    assert painter(colour=True)("a", "dim") != painter(colour=True)("a", "good")
    assert painter(colour=False)("a", "error") == "a"
