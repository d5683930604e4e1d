"""Reading gettext's `.po` files: `msgctxt`, `msgid`, `msgstr`, continued lines, comments; nothing is compiled."""

import ast
from dataclasses import dataclass

from thalweg.core.errors import ThalwegError

__all__ = ["CatalogueEntry", "read_catalogue"]


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


def read_catalogue(text: str, name: str = "catalogue") -> tuple[CatalogueEntry, ...]:
    r"""Read a catalogue; its header and what is not translated yet are left out.

    Args:
        text: A `.po` file.
        name: Its name, for the message of an error.

    Returns:
        The entries in order.

    Raises:
        ThalwegError: A line is none of a catalogue.

    Example:
        >>> read_catalogue('msgid "a "\n"cat"\nmsgstr "گربه"')[0].source
        'a cat'
    """
    entries: list[CatalogueEntry] = []
    found: dict[str, str] = {}
    key, begins = "", 0

    def keep() -> None:
        if found.get("msgid") and found.get("msgstr"):
            context = found.get("msgctxt", "")
            source, translation = found["msgid"], found["msgstr"]
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
            raise ThalwegError(
                f"{name}, line {number}: {line[:40]!r} is no line of a catalogue; see gettext's PO format"
            )
    keep()
    return tuple(entries)


def _text(quoted: str, name: str, number: int) -> str:
    try:
        value = ast.literal_eval(quoted)
    except (SyntaxError, ValueError):
        value = None
    if not isinstance(value, str):
        raise ThalwegError(f"{name}, line {number}: {quoted[:40]!r} is no quoted text; see gettext's PO format")
    return value
