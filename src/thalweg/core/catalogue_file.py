"""Reading gettext's `.po` files: `msgctxt`, `msgid`, `msgstr`, continued lines, comments; nothing is compiled."""

import ast
import re
from dataclasses import dataclass

from thalweg.core.errors import PlanError

__all__ = ["CatalogueEntry", "read_catalogue"]


_GAP = re.compile(r"\{\{|\}\}|\{(\w+(?::\w+)?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """A message and its translation.

    Args:
        source: The English text, its gaps by name.
        translation: The same in another language.
        context: What kind of text it is; nothing for sentences.
        line: Where it stands in its file.
    """

    source: str
    translation: str
    context: str = ""
    line: int = 0


def read_catalogue(text: str | bytes, name: str = "catalogue") -> tuple[CatalogueEntry, ...]:
    r"""Read a catalogue; its header and what is not translated yet are left out.

    Args:
        text: A `.po` file; bytes are taken for UTF-8.
        name: Its name, for the message of an error.

    Returns:
        The entries in order.

    Raises:
        PlanError: A line is none of a catalogue, or a translation has a gap that its message has not.

    Example:
        >>> read_catalogue('msgid "a "\n"cat"\nmsgstr "گربه"')[0].source
        'a cat'
    """
    text = text if isinstance(text, str) else _decoded(text, name)
    entries: list[CatalogueEntry] = []
    found: dict[str, str] = {}
    key, begins = "", 0

    def keep() -> None:
        if found.get("msgid") and found.get("msgstr"):
            context = found.get("msgctxt", "")
            source, translation = found["msgid"], found["msgstr"]
            _check_gaps(source, translation, f"{name}, line {begins}")
            entries.append(CatalogueEntry(source=source, translation=translation, context=context, line=begins))
        found.clear()

    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word in {"msgctxt", "msgid", "msgstr"}:
            if word in found or (word == "msgctxt" and found):
                keep()
            begins = begins if found else number
            key, found[word] = word, _text(rest, name, number)
        elif line.startswith('"') and key:
            found[key] += _text(line, name, number)
        else:
            raise PlanError(f"{name}, line {number}: {line[:40]!r} is no line of a catalogue; see gettext's PO format")
    keep()
    return tuple(entries)


def _decoded(whole: bytes, name: str) -> str:
    try:
        return whole.decode("utf-8")
    except UnicodeDecodeError as error:
        value = whole[error.start]
        raise PlanError(f"{name} is no text in UTF-8: byte {error.start} is {value}") from None


def _check_gaps(source: str, translation: str, place: str) -> None:
    """Refuse what could not be filled in when the sentence is said."""
    if "{" not in translation and "}" not in translation:
        return
    rest = _GAP.sub("", translation)
    if "{" in rest or "}" in rest:
        raise PlanError(f"{place}: a brace of the translation is not closed; a brace of its own is written twice")
    known = {gap.partition(":")[0] for gap in _GAP.findall(source)}
    unknown = [gap for gap in _GAP.findall(translation) if gap and gap.partition(":")[0] not in known]
    if unknown:
        raise PlanError(f"{place}: the translation has the gap {{{unknown[0]}}}, which its message has not")


def _text(quoted: str, name: str, number: int) -> str:
    try:
        value = ast.literal_eval(quoted)
    except (SyntaxError, ValueError):
        value = None
    if not isinstance(value, str):
        raise PlanError(f"{name}, line {number}: {quoted[:40]!r} is no quoted text; see gettext's PO format")
    return value
