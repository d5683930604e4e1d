"""A drawing in the reader's language: every word of a finished SVG is looked up, and stays in its place.

A report keeps its drawings as they were made, in English. So a drawing is not drawn anew, its texts are exchanged:
what stands in `<text>`, `<title>` and `<desc>`, and what is read out. Names of classes, layers and files are marked by
whoever draws them with `translate="no"`, as in HTML.
"""

import html
import re

from thalweg.core.languages import Said, Speaker
from thalweg.rendering.markup import escape, middle_cut, text_width

__all__ = ["noted", "said_drawing", "said_line"]

_TEXT = re.compile(r"<(?P<tag>text|tspan|title|desc)\b(?P<attributes>[^<>]*)>(?P<text>[^<]+)")
_SPOKEN = re.compile(r'(?P<name>aria-label|data-says)="(?P<text>[^"]+)"')
_WHOLE = re.compile(r'data-whole="([^"]*)"')
_ROOM = re.compile(r'data-room="(\d+)"')
_PLACE = re.compile(r'\bx="(-?[\d.]+)"')
_ANCHORED = re.compile(r'class="[^"]*\b(?:end|middle)\b')
_WIDTH = re.compile(r'(?P<before><svg [^>]*?)width="(?P<width>\d+)"(?P<between>[^>]*?)viewBox="0 0 \d+ ')
_SIZE, _SMALLEST = 12.0, 8.5
"""Letters of drawings, and the smallest that can still be read, in pixels."""
_LABELS = {"text", "tspan"}
_NOTED = re.compile(r"(.+?) – (.+)\.")
"""A label and its note in one line, as `noted` writes it."""


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
    told = _Told(voice)
    said = _SPOKEN.sub(told.read_out, _TEXT.sub(told.exchange, svg))
    width = _WIDTH.match(said)
    if width is None or told.needed <= float(width["width"]):
        return said
    wider = f"{told.needed:.0f}"
    root = (width["before"], f'width="{wider}"', width["between"], f'viewBox="0 0 {wider} ')
    return "".join((*root, said[width.end() :]))


def noted(label: str, note: str) -> str:
    """Write a label and its note as a line of a text alternative, which `said_line` takes apart again.

    Args:
        label: What it is.
        note: What stands below it, or nothing.

    Returns:
        The line.

    Example:
        >>> noted("picture", "3 x 3"), noted("mask", "")
        ('picture – 3 x 3.', 'mask')
    """
    return f"{label} – {note}." if note else label


def said_line(line: str, voice: Speaker) -> str:
    """Say a line of a text alternative; a label and its note are looked up as such.

    Args:
        line: In English.
        voice: Who speaks.

    Returns:
        The line in another language.

    Example:
        >>> from thalweg.core.languages import speaker
        >>> said_line("channel 3 – read by conv2.", speaker("fa"))
        'کانال ۳ – خواندهٔ conv2.'
    """
    told = voice.say(line)
    parts = _NOTED.fullmatch(line)
    if parts is None:
        return voice.say(line, "label") if told == line else told
    said = [voice.number(voice.say(part, "label")) for part in parts.groups()]
    if said == list(parts.groups()):
        return told
    return Said(
        " – ".join(part if isinstance(part, Said) or not voice.isolated else f"\u2068{part}\u2069" for part in said)
        + "."
    )


class _Told:
    """Exchanges texts one after the other, and measures how far to the right they reach."""

    def __init__(self, voice: Speaker) -> None:
        self.voice, self.needed = voice, 0.0
        self._at: float | None = None

    def exchange(self, found: re.Match[str]) -> str:
        tag, attributes = found["tag"], found["attributes"]
        if 'translate="no"' in attributes:
            return found[0]
        whole = _WHOLE.search(attributes)
        text = whole[1] if whole else found["text"]
        told = _said(text, "label" if tag in _LABELS else "", self.voice)
        if told == text:
            told = found["text"]
        elif room := _ROOM.search(attributes):
            told, attributes = _fitted(told, float(room[1]), attributes)
        self._measure(tag, attributes, html.unescape(told))
        return f"<{tag}{attributes}>{told}"

    def read_out(self, found: re.Match[str]) -> str:
        return f'{found["name"]}="{_said(found["text"], "", self.voice)}"'

    def _measure(self, tag: str, attributes: str, text: str) -> None:
        """A `<tspan>` goes on where its text ended; only what begins at its place can reach too far."""
        if tag == "text":
            place = _PLACE.search(attributes)
            self._at = None if place is None or _ANCHORED.search(attributes) else float(place[1])
        if tag in _LABELS and self._at is not None:
            self._at += text_width(text, 11)
            self.needed = max(self.needed, self._at + 4)


def _fitted(told: str, room: float, attributes: str) -> tuple[str, str]:
    """A text in smaller letters, or at last cut, where it is longer than the English one had room for."""
    width = text_width(html.unescape(told))
    if width <= room:
        return told, attributes
    size = max(_SMALLEST, _SIZE * room / width)
    if width * size / _SIZE > room:
        told = escape(middle_cut(Said(html.unescape(told)), room, size))
    return told, f'{attributes} style="font-size:{size:.1f}px"'


def _said(markup: str, context: str, voice: Speaker) -> str:
    """One text; a picture is read from the left, so what is read from the right is set apart as a whole."""
    if "\n" in markup.strip():
        return "\n".join(_said(line, context, voice) for line in markup.strip().splitlines())
    words = html.unescape(markup)
    inner = words.strip()
    told = voice.number(voice.say(inner, context) if context else said_line(inner, voice))
    if told == inner:
        return markup
    if voice.direction == "rtl" and isinstance(told, Said):
        told = f"\u2067{told}\u2069"
    begin = words[: len(words) - len(words.lstrip())]
    return escape(begin) + escape(Said(told))
