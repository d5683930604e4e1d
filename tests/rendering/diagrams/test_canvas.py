from thalweg.rendering.diagrams.canvas import Canvas


def test_lines_join_where_they_meet():
    sheet = Canvas()
    sheet.across(1, 0, 4)
    sheet.down(2, 0, 2)
    assert str(sheet) == "  ╷\n╶─┼─╴\n  ╵"


def test_text_lies_over_lines_and_an_empty_sheet_is_empty():
    sheet = Canvas()
    assert str(sheet) == ""
    sheet.across(0, 0, 4)
    sheet.text(0, 2, "x")
    assert str(sheet) == "╶─x─╴"
