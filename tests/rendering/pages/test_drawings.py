import pytest

from thalweg.core.errors import PlanError
from thalweg.rendering.pages.drawings import check_drawing


def svg(inside="", attributes=""):
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'


@pytest.mark.parametrize(
    "bad",
    [
        svg("<script>alert(1)</script>"),
        svg('<a href="x"><path/></a>'),
        svg('<image href="https://example.org/a.png"/>'),
        svg("<foreignObject/>"),
        svg('<path onclick="x()"/>'),
        svg(attributes='onload="x()"'),
        svg('<path fill="url(https://example.org/a)"/>'),
        svg("<style>@import 'a.css'</style>"),
        svg("<style>path{fill:url(http://a)}</style>"),
        svg("<style>path{fill:\\75rl(http://a)}</style>"),
        svg("<animate/>"),
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"),
        svg("<!-- -->"),
        svg("<![CDATA[<script>]]>"),
        svg("<path>"),
        "<p>no drawing</p>",
        '<h:script xmlns:h="http://www.w3.org/1999/xhtml">x</h:script>',
    ],
)
def test_what_could_run_or_load_is_refused(bad):
    with pytest.raises(PlanError):
        check_drawing(bad)


def test_shapes_text_and_own_references_pass():
    good = svg('<title>t</title><style>.a{fill:red}</style><path class="a" fill="url(#g)" d="M0,0"/><text>x</text>')
    assert check_drawing(good) == good
