"""Sentences in the reader's language: what the code says in English is looked up in a catalogue, numbers and all.

The code writes English, mostly f-strings; it marks nothing. A catalogue (`core/catalogues/fa.po`, gettext's own format)
lists the same sentences with their gaps by name:

    msgid "Right on {accuracy:number} of {files:number} {split} files."
    msgstr "{accuracy} از {files} پروندهٔ {split} درست است."

A sentence that was said is matched against them, its gaps are filled again, and what stood in a gap is translated in
turn unless it is marked as somebody's own words (`{name:text}`). So results, reports and JSON stay English, and a
report that was kept as data can be read in another language later. Decision record 13 says why.
"""

# Long because looking a sentence up, its parts and what is in its gaps is one algorithm that calls itself.

import contextlib
import contextvars
import functools
import importlib.resources
import re
from collections.abc import Iterator
from typing import ClassVar

from thalweg.core.catalogue_file import CatalogueEntry, read_catalogue
from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.sentence_patterns import NUMBER, Pattern, Patterns, has_gaps, pattern_of, unescaped

__all__ = ["Said", "Speaker", "languages", "said", "speak", "speaker", "speaking", "spoken"]

_IS_NUMBER = re.compile(NUMBER)
_SIGN = re.compile(r"([.?!:;,]) +")
_BETWEEN = re.compile(r"(, then | or | and |, )")
_NAMELIKE = {"cell", "what"}  # where names stand as well as words of ours: only what is listed for the place is taken
_PLACES = {"error": ("", "error"), "what": ("what", "cell", "")}
_DEEPEST = 12
_TELLING = 8
"""A cell may be a name, and a half-known sentence somebody else's: there a pattern needs so many letters in a row."""
_LIST = "; "
_TELLING_WORDS = 3  # spaces of a cell that is a sentence
_COUNTED = re.compile(rf"(?P<name>.*\S) (?P<number>{NUMBER})")
_SIGNS = str.maketrans({";": "؛", ",": "،", "?": "؟"})
_NO_MARKS = {0x2066: None, 0x2069: None}
_OPEN, _CLOSE = "\u2068", "\u2069"
"""First strong isolate, and its end: a name of another script stands by itself and turns nothing around."""
_SPOKEN: contextvars.ContextVar[str | None] = contextvars.ContextVar("spoken", default=None)


class _Chosen:
    """The language of the process: a notebook runs each cell in a context of its own, which forgets."""

    language: ClassVar[str] = "en"


class Said(str):
    """Text made by a speaker: already printable, with marks of direction that must not be escaped."""

    __slots__ = ()


class Speaker:
    """One language.

    Args:
        language: Its code, such as `fa`.
        isolated: Whether names are set apart with marks of direction, which pages honour and some terminals do not.

    Example:
        >>> Speaker("fa").say("Worst mistakes", "title")
        'بدترین اشتباه‌ها'
        >>> Speaker("en").say("anything")
        'anything'
    """

    def __init__(self, language: str, *, isolated: bool = False) -> None:
        self.language, self.isolated = language, isolated
        entries = () if language == "en" else _entries(language)
        self._exact: dict[tuple[str, str], str] = {}
        self._known: dict[tuple[str, str], str | None] = {}
        self._guessed: dict[tuple[str, int], str | None] = {}
        found: dict[str, list[Pattern]] = {}
        for entry in entries:
            if entry.context in {"frame", "page"}:  # filled by whoever asks for them
                self._exact[entry.context, entry.source] = entry.translation
            elif has_gaps(entry.source):
                found.setdefault(entry.context, []).append(pattern_of(entry))
            else:
                self._exact[entry.context, unescaped(entry.source)] = unescaped(entry.translation)
        self._patterns = {context: Patterns(patterns) for context, patterns in found.items()}
        self.digits = self._exact.get(("frame", "digits"), "")
        self.separators = self._exact.get(("frame", "separators"), ",.%x")
        self.direction = self._exact.get(("frame", "direction"), "ltr")

    def say(self, text: str, context: str = "") -> str:
        """Say a sentence in this language.

        Args:
            text: What was written in English.
            context: What it is, where that matters: `title`, `header`, `label`, `cell`, `frame`, `page`.

        Returns:
            The translation as `Said`; the text itself where there is none.
        """
        if self.language == "en" or not text or isinstance(text, Said):
            return text
        found = self._find(text, context)
        if found is None and (context not in _NAMELIKE or text.count(" ") >= _TELLING_WORDS):
            found = self._find(text) or self._loose(text)
        return text if found is None else Said(found)

    def fill(self, template: str, **fields: object) -> str:
        """Fill the gaps of a text that is in this language already.

        Args:
            template: The text.
            fields: Numbers, and names, which are set apart.

        Returns:
            The text, printable.
        """
        if self.language == "en":
            return template.format(**fields)
        return Said(template.format(**{name: self._aside(str(value)) for name, value in fields.items()}))

    def name(self, name: str) -> str:
        """Say the name of a finding or a remedy.

        Args:
            name: With underscores, as in JSON.

        Returns:
            Words.

        Example:
            >>> Speaker("en").name("saddle_point"), Speaker("fa").name("saddle_point")
            ('saddle point', 'نقطهٔ زینی')
        """
        return name.replace("_", " ") if (found := self.say(name)) == name else found

    def listed(self, context: str) -> dict[str, str]:
        """List what a catalogue says in one place, for those who say it themselves, such as a page's script.

        Args:
            context: Such as `page`.

        Returns:
            Translations by the English text, gaps and all.

        Example:
            >>> Speaker("fa").listed("page")["Save and stop"], Speaker("en").listed("page")
            ('ذخیره و توقف', {})
        """
        return {source: found for (place, source), found in self._exact.items() if place == context}

    def number(self, text: str) -> str:
        """Write a number with this language's digits and separators.

        Args:
            text: As formatted in English.

        Returns:
            The same number; text that is none, and powers of ten, stay as they are.

        Example:
            >>> Speaker("fa").number("1,442.5"), Speaker("fa").number("94.4%"), Speaker("fa").number("3e-4")
            ('۱٬۴۴۲٫۵', '۹۴٫۴٪', '3e-4')
            >>> Speaker("fa").number("0.9 ± 0.1")
            '۰٫۹ ± ۰٫۱'
        """
        if " ± " in text and self.digits:
            parts = text.split(" ± ")
            told = [self.number(part) for part in parts]
            joined = " ± ".join(told)
            changed = all(new != old for new, old in zip(told, parts, strict=True))
            return text if not changed else Said(f"\u2066{joined}\u2069") if self.isolated else joined
        if not self.digits or not _IS_NUMBER.fullmatch(text.strip()) or "e" in text or text.strip() == "-":
            return text
        turned = str.maketrans({
            **dict(zip("0123456789", self.digits, strict=True)),
            **dict(zip(",.%x", self.separators, strict=True)),
        })
        turned_text = text.replace(" %", "%").translate(turned)
        signed = self.isolated and text[:1] in "+-\u2212"
        return Said(f"\u2066{turned_text}\u2069") if signed else turned_text  # its marks must reach the page

    def _find(self, text: str, context: str = "", depth: int = 0) -> str | None:
        """Look for a translation of which every part is known; None where there is none."""
        key = text, context
        if key not in self._known:
            self._known[key] = None  # a sentence is no part of itself
            found = self._whole(text, context, depth)
            if found is None and context not in _NAMELIKE and depth < _DEEPEST:
                found = self._bent(text, context, depth)
                found = self._in_parts(text, depth) if found is None and context != "part" else found
            self._known[key] = found
        return self._known[key]

    def _whole(self, text: str, context: str, depth: int, *, loosely: bool = False) -> str | None:
        """As it stands, or as a pattern whose gaps are understood, or as any pattern that fits."""
        places = _PLACES.get(context) or tuple(dict.fromkeys((context, "")))
        for place in places:
            if (place, text) in self._exact and (place or context not in _NAMELIKE or " " in text):
                return self._marked(self._exact[place, text])
        for place, pattern in self._likely(text, places):
            least = _TELLING if loosely or (context in _NAMELIKE and not place) else 0
            match = pattern.match(text)
            if match is None or (len(pattern.literal) < least and {*pattern.kinds.values()} != {"number"}):
                continue
            fields, known = self._fields(match.groupdict(), pattern.kinds, depth, names=pattern.length > 1)
            if known or loosely:
                whole = self._marked(pattern.translation.format(**fields))
                swallowed = any(_LIST in (value or "") for value in match.groupdict().values())
                several = self._each(text, depth) if swallowed and not loosely else None
                return whole if several is None else min(whole, several, key=_left_alone)
        return None

    def _likely(self, text: str, places: tuple[str, ...]) -> list[tuple[str, Pattern]]:
        """Patterns that may fit, of all places together: what says more of itself is tried first."""
        found = [
            (place, each) for place in places if place in self._patterns for each in self._patterns[place].likely(text)
        ]
        return sorted(found, key=lambda pair: -pair[1].length) if len(places) > 1 else found

    def _each(self, text: str, depth: int) -> str | None:
        """Several statements in a row, each by itself; None where one of them is not known."""
        said_parts = [self._find(part, "part", depth + 1) for part in text.split(_LIST)] if depth < _DEEPEST else [None]
        known = [part for part in said_parts if part]
        return _LIST.translate(_SIGNS).join(known) if len(known) == len(said_parts) else None

    def _bent(self, text: str, context: str, depth: int) -> str | None:
        """With a small first letter, or without its full stop or dots."""
        inner = "part" if context == "part" else ""
        first = text.partition(" ")[0]
        if (
            first[:1].isupper()
            and (len(first) == 1 or first[1:].islower())
            and (found := self._find(text[:1].lower() + text[1:], inner, depth + 1))
        ):
            return found
        end = next((end for end in (" ...", ".") if text.endswith(end)), "")
        found = self._find(text.removesuffix(end), inner, depth + 1) if end else None
        return None if found is None else found + end

    def _in_parts(self, text: str, depth: int, *, loosely: bool = False) -> str | None:
        """The longest beginning that is known, up to a sign, and then the rest."""
        for sign in reversed(list(_SIGN.finditer(text))):
            if loosely and sign[1] == ",":
                continue  # half a sentence in another language is worse than none
            before, after = text[: sign.start()], text[sign.end() :]
            found = self._find(text[: sign.start() + 1], "part", depth + 1) if sign[1] in ".?!" else None
            if found is None and before and (bare := self._find(before, "part", depth + 1) or self._numeral(before)):
                if (tail := self._find(text[sign.start() :], "part", depth + 1)) is not None:
                    return bare + tail
                found = bare + sign[1].translate(_SIGNS)
            if found is not None:
                rest = self._find(after, "", depth) or self._numeral(after)  # further on, not deeper
                if rest is None and loosely:
                    rest = self._loose(after, depth + 1) or self._aside(after)
                if rest is not None:
                    return f"{found} {rest}"
        if not loosely or (first := _SIGN.search(text)) is None:
            return None
        after = text[first.end() :]
        rest = self._find(after, "", depth + 1) or self._loose(after, depth + 1)
        return None if rest is None else f"{self._aside(text[: first.start() + 1])} {rest}"

    def _loose(self, text: str, depth: int = 0) -> str | None:
        """A translation around what nobody knows, which is set apart."""
        if depth > _DEEPEST:
            return None
        key = text, depth
        if key not in self._guessed:
            found = self._whole(text, "", depth, loosely=True)
            found = found or self._whole(text[:1].lower() + text[1:], "", depth, loosely=True)
            self._guessed[key] = found or self._in_parts(text, depth, loosely=True)
        return self._guessed[key]

    def _fields(
        self, values: dict[str, str | None], kinds: dict[str, str], depth: int, *, names: bool
    ) -> tuple[dict[str, str], bool]:
        """What stood in the gaps, in this language, and whether all was understood; an unknown word may be a name."""
        fields, whole = {}, True
        for name, value in values.items():
            if not value or kinds[name] in {"text", "word", "code", "symbol"}:
                fields[name] = self._apart(value or "")
                continue
            if kinds[name] == "names":
                fields[name] = self._names(value)
                continue
            found = self._find(value, "", depth + 1)
            fields[name] = found or (" " in value and self._loose(value, depth + 1)) or self._aside(value)
            name_or_number = (
                (names and " " not in value) or kinds[name] == "number" or bool(_IS_NUMBER.fullmatch(value))
            )
            whole = whole and (found is not None or name_or_number)
        return fields, whole

    def _names(self, value: str) -> str:
        """Names as they are, and what stands between them in this language."""
        parts = _BETWEEN.split(value)
        parts[::2] = map(self._named, parts[::2])
        parts[1::2] = (self._exact.get(("names", part), part) for part in parts[1::2])
        return "".join(parts)

    def _named(self, part: str) -> str:
        """A name; of several words, or before a number, it may be one of ours, such as `SGD with momentum 0.1`."""
        counted = _COUNTED.fullmatch(part)
        name = counted["name"] if counted else part
        said_name = self._exact.get(("names", name)) or (" " in name and self._find(name)) or self._apart(name)
        return f"{said_name} {self.number(counted['number'])}" if counted else said_name

    def _numeral(self, text: str) -> str | None:
        """A number, which every language understands; None for anything else."""
        return None if (said_number := self.number(text)) == text else said_number

    def _marked(self, text: str) -> str:
        """Keep the marks of direction that a translation brings along, or take them out."""
        return text if self.isolated else text.translate(_NO_MARKS)

    def _aside(self, value: str) -> str:
        """A number in this language's digits; a name, set apart so that its script turns nothing else around."""
        said_number = self.number(value)
        return self._apart(value) if said_number == value else said_number

    def _apart(self, value: str) -> str:
        words = printable(value) if not value.isprintable() else value
        return f"{_OPEN}{words}{_CLOSE}" if self.isolated and value.strip() else words


def _left_alone(text: str) -> int:
    """How much of a translation is not translated, as far as letters tell."""
    return len(re.findall("[A-Za-z]", text))


@functools.cache
def languages() -> tuple[str, ...]:
    """List the languages there are: English, and each file of `core/catalogues`.

    Returns:
        Their codes, English first.

    Example:
        >>> languages()
        ('en', 'fa')
    """
    folder = importlib.resources.files("thalweg.core").joinpath("catalogues")
    names = sorted(item.name.removesuffix(".po") for item in folder.iterdir() if item.name.endswith(".po"))
    return ("en", *names)


@functools.cache
def speaker(language: str, *, isolated: bool = False) -> Speaker:
    """Find who speaks a language.

    Args:
        language: Its code.
        isolated: Whether names are set apart with marks of direction.

    Returns:
        The speaker, made once.

    Raises:
        PlanError: Nobody does.
    """
    if language not in languages():
        raise PlanError(f"texts are in {', '.join(languages())}; there is no catalogue for {language!r}")
    return Speaker(language, isolated=isolated)


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let `said` speak a language for a while.

    Args:
        language: Its code.

    Yields:
        Nothing.
    """
    before = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def speak(language: str) -> None:
    """Choose the language of what is shown from here on: notebook cells, pages, reports, drawings, printed answers.

    What programs read stays English: fields of results, JSON, exceptions. On the command line, `--lang` chooses.

    Args:
        language: `en`, or one that has a catalogue, such as `fa`.

    Raises:
        PlanError: There is no catalogue for the language.

    Example:
        >>> speak("fa")
        >>> said("No file was left out.")
        'هیچ فایلی کنار گذاشته نشد.'
        >>> speak("en")
    """
    speaker(language)
    _Chosen.language = language


def spoken() -> str:
    """Tell the language of the moment, which a command line or `speak` chose.

    Returns:
        Its code; `en` where nobody chose.

    Example:
        >>> spoken()
        'en'
    """
    return _SPOKEN.get() or _Chosen.language


def said(text: str, context: str = "") -> str:
    """Say a sentence in the language of the moment, for a terminal.

    Args:
        text: What was written in English.
        context: As of `Speaker.say`.

    Returns:
        The translation, or the text itself.

    Example:
        >>> with speaking("fa"):
        ...     said("No file was left out.")
        'هیچ فایلی کنار گذاشته نشد.'
    """
    language = spoken()
    return text if language == "en" else str(speaker(language).say(text, context))


def _entries(language: str) -> tuple[CatalogueEntry, ...]:
    name = f"{language}.po"
    return read_catalogue(importlib.resources.files("thalweg.core").joinpath("catalogues", name).read_bytes(), name)
