"""A drawing in the reader's language: every word of a finished SVG is looked up, and stays in its place.

A report keeps its drawings as they were made, in English. So a drawing is not drawn anew, its texts are exchanged:
what stands in `<text>`, `<title>` and `<desc>`, and what is read out. Names of classes, layers and files are marked by
whoever draws them with `translate="no"`, as in HTML.
"""

import html
import re

from thalweg.core.languages import Said, Speaker
from thalweg.rendering.markup import escape

__all__ = ["said_drawing"]

_TEXT = re.compile(r"<(?P<tag>text|tspan|title|desc)\b(?P<attributes>[^<>]*)>(?P<text>[^<]+)")
_SPOKEN = re.compile(r'(?P<name>aria-label|data-says)="(?P<text>[^"]+)"')
_LABELS = {"text", "tspan"}


def said_drawing(svg: str, voice: Speaker) -> str:
    r"""Say the words of a drawing in another language.

    Args:
        svg: A drawing of this package's, in English.
        voice: Who speaks.

    Returns:
        The drawing; what the catalogue does not know stays as it is.

    Example:
        >>> from thalweg.core.languages import speaker
        >>> said_drawing('<svg><text x="4">loss</text><text translate="no">loss</text></svg>', speaker("fa"))
        '<svg><text x="4">\u2067زیان\u2069</text><text translate="no">loss</text></svg>'
    """
    if voice.language == "en":
        return svg

    def exchange(found: re.Match[str]) -> str:
        if 'translate="no"' in found["attributes"]:
            return found[0]
        context = "label" if found["tag"] in _LABELS else ""
        return f"<{found['tag']}{found['attributes']}>{_said(found['text'], context, voice)}"

    def read_out(found: re.Match[str]) -> str:
        return f'{found["name"]}="{_said(found["text"], "", voice)}"'

    return _SPOKEN.sub(read_out, _TEXT.sub(exchange, svg))


def _said(markup: str, context: str, voice: Speaker) -> str:
    """One text; a picture is read from the left, so what is read from the right is set apart as a whole."""
    words = html.unescape(markup)
    inner = words.strip()
    told = voice.number(voice.say(inner, context))
    if told == inner:
        return markup
    if voice.direction == "rtl" and isinstance(told, Said):
        told = f"\u2067{told}\u2069"
    begin = words[: len(words) - len(words.lstrip())]
    return escape(begin) + escape(Said(told))
