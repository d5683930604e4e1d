"""Every verb with its options, from the parser that reads them."""

import inspect
import re

import typer.main

from thalweg.cli.main import EPILOG, app

__all__ = ["command_pages"]


def command_pages() -> dict[str, str]:
    """Write the page of the command line.

    Returns:
        Markdown by the page's name in the site.
    """
    lines = ["# Command line", "", EPILOG, ""]
    for name, command in typer.main.get_command(app).commands.items():
        lines += [f"## thalweg {name}", ""]
        lines += [re.sub(r"<(?=\w)", "&lt;", inspect.cleandoc(command.help or "")), ""]
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        options = [each for each in command.params if each.param_type_name == "option"]
        words = [_word(each) for each in arguments]
        lines += ["```text", " ".join(["thalweg", name, *words, *(["[OPTIONS]"] if options else [])]), "```", ""]
        rows = [(word, each) for word, each in zip(words, arguments, strict=True)]
        rows += [(", ".join([*each.opts, *each.secondary_opts]), each) for each in options]
        if rows:
            lines += ["| option | meaning | by default |", "| --- | --- | --- |"]
            lines += [f"| `{word}` | {_cell(each.help)} | {_default(each)} |" for word, each in rows]
            lines.append("")
    return {"reference/commands.md": "\n".join(lines)}


def _word(argument: object) -> str:
    name = argument.metavar or argument.name.upper() + ("..." if argument.nargs < 0 else "")
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _default(parameter: object) -> str:
    shown = getattr(parameter, "show_default", False)
    if isinstance(shown, str):
        return _cell(shown)
    value = parameter.default
    if value is None or value is False:
        return ""
    return "yes" if value is True else f"`{value}`"


def _cell(words: str | None) -> str:
    return re.sub(r"([|*])", r"\\\1", words or "").replace("<", "&lt;").replace("\n", " ")
