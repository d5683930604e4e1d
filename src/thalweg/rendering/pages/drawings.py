"""A second look at drawings before they enter a page: only shapes and text, nothing that runs or loads."""

import re
from xml.etree import ElementTree as ET

from thalweg.core.errors import PlanError

__all__ = ["check_drawing"]

_SHAPES = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
_ELEMENTS = {"svg", "g", "text", "tspan", "title", "desc", "style", "defs", "marker", *_SHAPES}
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_WORDS = ("aria-", "data-")
_LOADS = re.compile(r"url\s*\(\s*['\"]?(?!#)|@import|expression\s*\(|javascript:|\\", re.IGNORECASE)


def check_drawing(svg: str) -> str:
    """Make sure that a drawing consists of shapes and text only.

    Reports show drawings as they are, so that a reader can select their text. Every renderer here escapes what it
    writes; this keeps a drawing from elsewhere from bringing a script, a link or a remote picture along.

    Args:
        svg: A complete `<svg>` element.

    Returns:
        The same text.

    Raises:
        PlanError: It is not well-formed, or holds something else.

    Example:
        >>> check_drawing('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0"/></svg>')[:4]
        '<svg'
    """
    if re.search(r"<!(?!--)|<\?|<!\[CDATA\[|<!--", svg):
        raise PlanError("a drawing holds a declaration, a comment or CDATA; only elements and text are allowed")
    try:
        root = ET.fromstring(svg)  # noqa: S314 - declarations, and so entities, were refused above
    except ET.ParseError as error:
        raise PlanError(f"a drawing is not well-formed SVG: {error}") from None
    if root.tag != f"{_NAMESPACE}svg":
        raise PlanError(f"a drawing begins with the element {root.tag!r}, not with svg")
    for element in root.iter():
        name = str(element.tag).removeprefix(_NAMESPACE)
        if name not in _ELEMENTS:
            raise PlanError(f"a drawing holds the element {name!r}; only shapes and text are allowed")
        for key, value in element.attrib.items():
            styles = not key.startswith(_WORDS)  # a backslash in a class name is no CSS escape
            if key.lower().startswith("on") or "href" in key.lower() or (styles and _LOADS.search(value)):
                raise PlanError(f"a drawing holds the attribute {key}={value[:40]!r}; nothing may run or load")
        if name == "style" and _LOADS.search(element.text or ""):
            raise PlanError("a drawing's style loads something; nothing may be loaded")
    return svg
