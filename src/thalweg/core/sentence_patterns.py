"""One entry of a catalogue as a pattern: its literal words, its gaps with their kinds, and what takes their place."""

import functools
import re
from collections import Counter
from dataclasses import dataclass
from operator import itemgetter

from thalweg.core.catalogue_file import CatalogueEntry

__all__ = ["NUMBER", "Pattern", "Patterns", "has_gaps", "pattern_of", "unescaped"]

NUMBER = r"[+\-\u2212]?(?:\d[\d,]*(?:\.\d+)?|\.\d+|nan|inf)(?:e[+\-]?\d+)?(?:\s?%|x)?|-"
"""How numbers are written in English sentences: with separators, a share, or a factor such as `3x`."""
_WORD = r"[^,;:()]+"
"""Somebody's own word, or a few, in a sentence so short that any other would fit it."""
_CODE = r"[A-Z]{3}\d{3}"
"""A rule's code, such as `LRN001`."""
_SYMBOL = r"\w+"
"""A name without a space, such as `dO_dx`, where a sentence has little else by which to know it."""
_ENDING = r"\w{0,3}"
"""What a translation leaves out: the end of a plural, such as `s`."""
_ADDED = r"(?:(?:[;,:\[.]| \(| (?:and|at|on|±) ).*?)?"
"""What may follow a gap at once, and how it begins: the gap's own words end there."""
_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)(?::(number|text|word|names|part|code|symbol))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A sentence with gaps.

    Args:
        literal: Its longest run of letters between gaps, to pass most texts by at once.
        length: Of all its literal words; what says more of itself is tried first.
        expression: What a text has to look like, as a regular expression.
        kinds: `number`, `text`, `word`, `part`, `names`, `code`, `symbol` or nothing, by the gap's name.
        translation: The same sentence in another language, ready for `str.format`.
    """

    literal: str
    length: int
    expression: str
    kinds: dict[str, str]
    translation: str

    def match(self, text: str) -> re.Match[str] | None:
        """Fit a text; the expression is made when a text has the pattern's words, which most never have.

        Args:
            text: All of a sentence.

        Returns:
            The match, its groups the gaps; None where the text is another sentence.
        """
        return _compiled(self.expression).fullmatch(text) if self.literal in text else None


class Patterns:
    """Patterns in the order in which they are tried, found by three letters in a row that a text must have.

    Thousands of sentences and their parts are looked up for one page; nearly all patterns have nothing to do with them.

    Args:
        patterns: Of one context.

    Example:
        >>> sources = "{n} files", "{n} classes", "{n} m"
        >>> made = [pattern_of(CatalogueEntry(source=source, translation="")) for source in sources]
        >>> [pattern.literal for pattern in Patterns(made).likely("12 files")]
        [' files', ' m']
    """

    def __init__(self, patterns: list[Pattern]) -> None:
        order = sorted(patterns, key=lambda each: (-each.length, len({"text", "word"} & {*each.kinds.values()})))
        how_often = Counter(letters for each in order for letters in _threes(each.literal))
        self._short: list[tuple[int, Pattern]] = []
        self._by_letters: dict[str, list[tuple[int, Pattern]]] = {}
        for place, pattern in enumerate(order):
            rarest = min(_threes(pattern.literal), key=lambda letters: (how_often[letters], letters), default=None)
            chosen = self._short if rarest is None else self._by_letters.setdefault(rarest, [])
            chosen.append((place, pattern))

    def likely(self, text: str) -> list[Pattern]:
        """Which patterns a text may fit.

        Args:
            text: All of a sentence.

        Returns:
            Those of which it has three letters, in order; the rest cannot fit.
        """
        found = [*self._short]
        for letters in _threes(text) & self._by_letters.keys():
            found += self._by_letters[letters]
        return [pattern for _, pattern in sorted(found, key=itemgetter(0))]


def _threes(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}


def pattern_of(entry: CatalogueEntry) -> Pattern:
    """Turn an entry into a pattern.

    Args:
        entry: Of a catalogue, its gaps in braces.

    Returns:
        The pattern.

    Example:
        >>> found = pattern_of(CatalogueEntry(source="{n:number} of {what}", translation="{what}: {n}"))
        >>> found.match("1,442 of all").groupdict(), found.translation
        ({'n': '1,442', 'what': 'all'}, '{what}: {n}')
    """
    kinds: dict[str, str] = {}
    parts, end, literals = [], 0, []
    for match in _FIELD.finditer(entry.source):
        literal = entry.source[end : match.start()]
        end = match.end()
        if match[1] is None:  # a doubled brace is a brace
            literal += match[0][0]
            parts.append(re.escape(literal))
        else:
            after_gap = bool(kinds) and not literal
            anything = ".+?" if not match[1].startswith("_") else _ADDED if after_gap else ".*?"
            if match[1].startswith("_") and f"{{{match[1]}" not in entry.translation:
                anything = _ENDING
            gap = {
                "number": NUMBER,
                "word": _WORD,
                "part": _WORD,
                "names": "[^:;]+",
                "code": _CODE,
                "symbol": _SYMBOL,
            }.get(match[2], anything)
            parts.append(f"{re.escape(literal)}(?P<{match[1]}>{gap})")
            kinds[match[1]] = match[2] or ""
        literals.append(literal)
    literals.append(entry.source[end:])
    parts.append(re.escape(literals[-1]))
    return Pattern(
        literal=max(literals, key=len),
        length=sum(map(len, literals)),
        expression="".join(parts),
        kinds=kinds,
        translation=_FIELD.sub(_plain, entry.translation),
    )


def has_gaps(text: str) -> bool:
    """Tell whether a message has gaps.

    Args:
        text: As a catalogue writes it.

    Returns:
        Whether there is a brace that is not doubled.

    Example:
        >>> has_gaps("{n} files"), has_gaps("a {{brace}}")
        (True, False)
    """
    return "{" in text.replace("{{", "")


def unescaped(text: str) -> str:
    """Write doubled braces as braces.

    Args:
        text: As a catalogue writes it.

    Returns:
        As it is said.

    Example:
        >>> unescaped("a {{brace}}")
        'a {brace}'
    """
    return text.replace("{{", "{").replace("}}", "}")


@functools.cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


def _plain(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else f"{{{match[1]}}}"
