"""Text on its way into HTML or SVG: made visible, escaped, measured and shortened; numbers as people read them."""

import html
import math
import re
import unicodedata
from collections.abc import Sequence

from thalweg.core.files import printable
from thalweg.core.languages import Said

__all__ = [
    "capitalised",
    "cut_label",
    "escape",
    "escape_lines",
    "escape_markdown",
    "finite",
    "is_number",
    "isolated",
    "middle_cut",
    "short_number",
    "shown",
    "text_width",
    "unmarked",
]

_DIRECTIONS = dict.fromkeys(range(0x2066, 0x206A))
_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_NAME = re.compile(rf"[{_RIGHT_TO_LEFT}](?:[{_RIGHT_TO_LEFT}\u200c\u200d 0-9/_.-]*[{_RIGHT_TO_LEFT}])?")

_NARROW = frozenset("iljt.,:;'|!()[] fr1/I")
_WIDE = frozenset("mwMWO@%GQ")
_UNSEEN = {"Cf", "Mn", "Me"}
_ARABIC = 0.52
_NO_MARKS = dict.fromkeys(range(0x2066, 0x206A))
"""Marks that set a name of another direction apart."""


def shown(text: object) -> str:
    r"""Make text safe to show on one line: no control or direction characters, nothing that XML forbids.

    Args:
        text: Anything; its `str` is taken.

    Returns:
        Text that can be encoded as UTF-8 and parsed as XML after escaping.

    Example:
        >>> shown("cat\u202egnp.\n")
        'cat\\u202egnp.\\n'
    """
    words = str(text)
    if isinstance(text, Said):
        return Said(words)
    if words.isascii() and words.isprintable():
        return words
    return "".join(
        f"\\u{ord(character):04x}" if ord(character) & 0xFFFE == 0xFFFE else character  # noqa: PLR2004 - noncharacters
        for character in printable(words)
    )


def escape(text: object) -> str:
    """Escape text for HTML and SVG, in content and in quoted attributes.

    Args:
        text: Anything; its `str` is taken.

    Returns:
        Markup that shows the text and does nothing else.

    Example:
        >>> escape('<b title="x">')
        '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(shown(text), quote=True)


def escape_markdown(text: str) -> str:
    r"""Make text safe as a cell of a Markdown table or a line between such.

    Args:
        text: One line.

    Returns:
        It, with a backslash before whatever Markdown would read as a mark.

    Example:
        >>> print(escape_markdown("conv_1 | *"))
        conv\_1 \| \*
    """
    return "".join(f"\\{letter}" if letter in "\\|*_`<>[]" else letter for letter in text)


def escape_lines(lines: Sequence[str]) -> str:
    r"""Escape sentences, each on a line of its own, so that another language can take them one by one.

    Args:
        lines: The sentences.

    Returns:
        Markup with line breaks, which a browser shows as spaces.

    Example:
        >>> escape_lines(("a < b.", "c."))
        'a &lt; b.\nc.'
    """
    return "\n".join(map(escape, lines))


def isolated(text: object, *, path: bool = False) -> str:
    """Escape a sentence for HTML, names written from right to left set apart: numbers beside them stay in place.

    Args:
        text: Anything; its `str` is taken.
        path: Whether it is a path, which is read from left to right whatever its first letter.

    Returns:
        Markup; a sentence that itself begins from right to left is escaped alone.

    Example:
        >>> isolated("always سگ (50%)")
        'always <bdi>سگ</bdi> (50%)'
        >>> isolated("سگ always")
        'سگ always'
        >>> isolated("سگ/0001.png", path=True)
        '<bdi>سگ</bdi>/0001.png'
    """
    words = escape(text)
    first = next((kind for kind in map(unicodedata.bidirectional, words) if kind in {"L", "R", "AL"}), "L")
    return words if first != "L" and not path else _NAME.sub(lambda name: f"<bdi>{name[0]}</bdi>", words)


def capitalised(text: str) -> str:
    """Begin a sentence: the first letter large, the others as they are, names among them.

    Args:
        text: What was said in the middle of something.

    Returns:
        It, as a beginning.

    Example:
        >>> capitalised("the head of EfficientNet"), capitalised("")
        ('The head of EfficientNet', '')
    """
    return text[:1].upper() + text[1:]


def text_width(text: str, size: float = 12.0) -> float:
    """Estimate how wide text is in a usual sans-serif font; a little too wide rather than too narrow.

    Args:
        text: One line.
        size: Font size, in pixels.

    Returns:
        Width, in pixels.

    Example:
        >>> text_width("ill") < text_width("WWW")
        True
    """
    letters = text if text.isascii() else (each for each in text if unicodedata.category(each) not in _UNSEEN)
    return size * sum(map(_share, letters))


def _share(letter: str) -> float:
    """Width of a letter, as a share of the font's size; joined letters are narrower than those that stand alone."""
    if letter in _NARROW:
        return 0.36
    if letter in _WIDE:
        return 0.9
    return _ARABIC if "\u0600" <= letter <= "\u06ff" else 0.6


def middle_cut(text: str, width: float, size: float = 12.0) -> str:
    """Shorten text in its middle until it fits, since layer names differ at their ends.

    Args:
        text: One line.
        width: Room there is, in pixels.
        size: Font size, in pixels.

    Returns:
        The text, or its two ends around an ellipsis.

    Example:
        >>> middle_cut("features.denseblock4.denselayer16.conv1", 120)
        'features.…r16.conv1'
    """
    if text_width(text, size) <= width:
        return text
    made: type[str] = str
    bare = text
    if isinstance(text, Said):  # stays so: its letters are known
        made, bare = Said, text.translate(_NO_MARKS)  # a mark without its other end would turn the rest around
    for kept in range(len(bare) - 1, 1, -1):
        cut = f"{bare[: kept // 2]}…{bare[len(bare) - (kept - kept // 2) :]}"
        if text_width(cut, size) <= width:
            return made(cut)
    return "…"


def cut_label(text: str, width: float, size: float = 12.0) -> tuple[str, str]:
    """Shorten a label of a drawing, and note the whole of it and the room there is for other languages.

    Args:
        text: One line.
        width: Room there is, in pixels.
        size: Font size, in pixels.

    Returns:
        Attributes of its SVG element, with a space before them, and its content, escaped.

    Example:
        >>> cut_label("conv1", 200)
        (' data-room="200"', 'conv1')
        >>> cut_label("the other side of the cut", 100)
        (' data-room="100" data-whole="the other side of the cut"', 'the oth… the cut')
    """
    cut = middle_cut(text, width, size)
    whole = "" if cut == text else f' data-whole="{escape(text)}"'
    return f' data-room="{width:.0f}"{whole}', escape(cut)


def short_number(value: float) -> str:
    """Write a large count in three or four digits.

    Args:
        value: A count from 0.

    Returns:
        Such as `950`, `18.5k`, `25.6M`, `4.09G`.

    Example:
        >>> short_number(25557032), short_number(352)
        ('25.6M', '352')
    """
    for power, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= power * 0.9995:
            scaled = value / power
            return f"{scaled:.{2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0}f}{letter}"  # noqa: PLR2004 - digits
    return f"{value:g}"


def is_number(cell: str) -> bool:
    """Tell whether a cell of a table reads as a number, so that its column can stand right-aligned.

    Args:
        cell: Formatted text, perhaps with thousands separators, a percent sign or a unit letter.

    Returns:
        True for numbers, and for the marks of a missing one.

    Example:
        >>> is_number("1,442"), is_number("68.7 %"), is_number("cat")
        (True, True, False)
    """
    bare = cell.strip().replace(",", "").replace("\u2212", "-").rstrip("%").rstrip()
    if bare in {"", "-", "–", "—"}:
        return True
    try:
        float(bare[:-1] if bare[-1:] in "kMGTs" and len(bare) > 1 else bare)
    except ValueError:
        return False
    return True


def finite(values: Sequence[float]) -> list[float]:
    """Keep the finite numbers.

    Args:
        values: Numbers, some of which may be nan or infinite.

    Returns:
        The finite ones, in order.

    Example:
        >>> finite([1.0, math.nan, math.inf])
        [1.0]
    """
    return [value for value in values if math.isfinite(value)]


def unmarked(text: str) -> str:
    """Take the marks of direction out of a text of another language, where it is cut or what is around sets it apart.

    Args:
        text: A text; one that nobody has said keeps what it has.

    Returns:
        The text.

    Example:
        >>> unmarked(Said("\u2068نرخ\u2069"))
        'نرخ'
    """
    return text.translate(_DIRECTIONS) if isinstance(text, Said) else text
