"""`--help` in the language of the moment: what typer lays out is looked up in the catalogue where it is written.

Options, verbs, types and defaults that somebody types stay as they are.
"""

import inspect
import re
from collections.abc import Sequence

from typer.core import TyperCommand, TyperGroup

from thalweg.core.languages import said, spoken

__all__ = ["SaidCommand", "SaidGroup"]

_Context = TyperCommand.context_class  # click's, or the copy of it that typer brings along since 0.26
_EXTRAS = re.compile(r"(?s)(?P<help>.*?)(?:(?:^|  )\[(?P<extras>.*)\])?")
_FACT = re.compile(r"(?s)(?P<name>[a-z ]+): \(?(?P<value>.*?)\)?")


class _Formatter(_Context.formatter_class):  # type: ignore[name-defined,misc]
    """Looks up every text on its way into the page of help; each has the context `help`."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or f"{said('Usage:', 'help')} ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(said(heading, "help"))

    def write_text(self, text: str) -> None:
        super().write_text(said(" ".join(text.split()), "help"))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(first, _entry(second)) for first, second in rows], col_max, col_spacing)


def _entry(text: str) -> str:
    """A line of help with what follows it in brackets: `[default: 32]`, `[required]`."""
    found = _EXTRAS.fullmatch(text)
    if found is None or spoken() == "en":
        return text
    told = said(" ".join(found["help"].split()), "help") if found["help"] else ""
    extras = "; ".join(map(_extra, found["extras"].split("; "))) if found["extras"] else ""
    return "  ".join(filter(None, (told, extras and f"[{extras}]")))


def _extra(text: str) -> str:
    fact = _FACT.fullmatch(text)
    return said(text, "help") if fact is None else f"{said(fact['name'], 'help')}: {said(fact['value'], 'help')}"


class _SaidContext(_Context):  # type: ignore[valid-type,misc]
    formatter_class = _Formatter


class SaidCommand(TyperCommand):
    """A verb whose help speaks the language of the moment."""

    context_class = _SaidContext

    def get_short_help_str(self, limit: int = 45) -> str:
        """What the list of verbs says of it; cut off in English only, where its length is known.

        Args:
            limit: Letters there are.

        Returns:
            A sentence.
        """
        if spoken() == "en":
            return str(super().get_short_help_str(limit))
        return said(" ".join(inspect.cleandoc(self.help or "").split()), "help")


class SaidGroup(TyperGroup):
    """All verbs together, whose list speaks the language of the moment."""

    context_class = _SaidContext
