"""`thalweg`: parse, ask the workbench, show the answer. Errors are one clear line and an exit status."""

import contextlib
import difflib
import io
import os
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from thalweg.cli.comparison import compare
from thalweg.cli.data import check
from thalweg.cli.derivation import derive
from thalweg.cli.diagnosis import diagnose, rule
from thalweg.cli.doctor import doctor
from thalweg.cli.explanation import explain
from thalweg.cli.helping import SaidCommand, SaidGroup
from thalweg.cli.lab import lab
from thalweg.cli.landscape import landscape
from thalweg.cli.models import evaluate, export, predict, report
from thalweg.cli.networks import count, draw
from thalweg.cli.serving import follow, serve
from thalweg.cli.settings import GLOBAL, Settings, emit_json, given_to, lead_nowhere, take_global_options
from thalweg.cli.stopping import Request, Stopped, stoppable
from thalweg.cli.terminal import (
    open_what_is_closed,
    outlive_standard_error,
    tell_of_missing_letters,
    write_missing_letters_as_escapes,
)
from thalweg.cli.training import demo, resume, train
from thalweg.core.errors import PlanError, RanksPartedError, ThalwegError
from thalweg.core.files import printable
from thalweg.core.languages import said, speaking
from thalweg.core.launch import launched
from thalweg.core.process import NO_MEMORY, share_processor
from thalweg.core.ranges import wanted_number

__all__ = ["app", "main"]

EPILOG = (
    "Everywhere: --json (one JSON object on standard output), --quiet, --traceback, --lang en|fa. "
    "Exit status: 0 good, 1 a finding, a wrong answer or a failed run, 2 unusable input, 130 interrupted (saved)."
)

app = typer.Typer(
    cls=SaidGroup,
    help="Train, diagnose, count and explain convolutional networks.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing boxes would double the time that --help takes
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    *(train, resume, predict, evaluate, check, report, export),
    *(diagnose, rule, explain, landscape, compare, lab),
    *(serve, follow),
    *(count, draw, derive, doctor, demo),
)
_NO_MEMORY = (*NO_MEMORY, "cannot allocate memory", "failed to map segment")
"""The last two are of the loader of libraries."""
SPREAD = (train, resume, demo)
"""What several ranks do together."""
for command in COMMANDS:
    app.command(cls=SaidCommand, epilog=EPILOG)(command)


def _show_version(value: bool) -> None:
    if value:
        from thalweg import __version__

        typer.echo(f"thalweg {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: The words after the program's name; those of the process by default.

    Raises:
        SystemExit: Always, with the exit status.
    """
    started = time.perf_counter()
    open_what_is_closed()
    share_processor()
    write_missing_letters_as_escapes()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with outlive_standard_error():
        status = _status(words, started)
    sys.exit(status)


def _status(words: list[str], started: float) -> int:
    """Run a line, say what went wrong, and tell the exit status."""
    settings = Settings(json="--json" in words, traceback="--traceback" in words)
    request, rest = Request(), words
    try:
        settings, rest = take_global_options(words)
        launch = launched()
        settings = replace(settings, started=started, launch=launch)
        if launch is not None:
            _refuse_alone(rest)
        if settings.follows:
            settings = replace(settings, quiet=True, json=False)
        _refuse_nowhere()
        with speaking(settings.lang), stoppable() as request:
            tell_of_missing_letters(settings)
            answer = _answer(settings, rest)
        status = answer if isinstance(answer, int) and rest else 2 * (not rest)
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise  # else typer's framework has made it of a pipe that nobody reads
        lead_nowhere(sys.stdout)
        status = 0
    except (Stopped, KeyboardInterrupt) as error:
        parted = _parted(error)  # a launcher ends whoever is left: why is what went before
        if parted is not None:
            status = _complain(settings, *_describe(parted, rest))
        else:
            status = request.answer[1] if settings.follows else _complain(settings, *request.answer)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in one line and an exit status
        if settings.traceback:
            traceback.print_exc()
        if settings.follows and not isinstance(error, RanksPartedError):
            status = _describe(error, rest)[1]  # rank 0 says why
        else:
            status = _complain(settings, *(request.answer if request.signum else _describe(error, rest)))
    return status


def _answer(settings: Settings, words: list[str]) -> object:
    """Run a verb; help and version are words, which `--json` wraps."""
    if not settings.json or not _asks_for_words(words):
        if settings.json and not words:
            raise PlanError("a verb is missing, such as thalweg check photos --json (thalweg --help lists them)")
        return app(words or ["--help"], prog_name="thalweg", standalone_mode=False, obj=settings)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        answer = app(words, prog_name="thalweg", standalone_mode=False, obj=settings)
    emit_json({"text": told.getvalue()})
    return answer


def _asks_for_words(words: Sequence[str]) -> bool:
    """Whether a line asks for help or the version; behind `--` stand names."""
    options = words[: words.index("--")] if "--" in words else words
    return not {"--help", "-h", "--version"}.isdisjoint(options)


def _parted(error: BaseException) -> RanksPartedError | None:
    """The loss of another rank that an interruption fell into."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, RanksPartedError):
        found = found.__context__
    return found


def _refuse_nowhere() -> None:
    """Refuse a working folder that was deleted: libraries end the process there without a word of ours."""
    try:
        os.getcwd()  # noqa: PTH109 - only whether there is one
    except FileNotFoundError:
        raise PlanError("the working folder is not there any more: change to another one (cd) and try again") from None


def _refuse_alone(words: Sequence[str]) -> None:
    """Refuse a verb that every rank would do for itself."""
    alone = {each.__name__ for each in COMMANDS} - {each.__name__ for each in SPREAD}
    if words and words[0] in alone:
        raise PlanError(f"thalweg {words[0]} works in one process: start it without torchrun")


def _describe(error: Exception, words: Sequence[str]) -> tuple[str, int]:
    """One line for an error, and its exit status."""
    if isinstance(error, ThalwegError):
        return str(error), error.exit_status
    if hasattr(error, "format_message"):  # what typer raises for a wrong word on the command line
        if hasattr(error, "possibilities"):  # it does not know the options that every verb shares
            meant = difflib.get_close_matches(getattr(error, "option_name", ""), GLOBAL)
            error.possibilities = sorted({*(error.possibilities or ()), *meant}) or None
        path = getattr(getattr(error, "ctx", None), "command_path", "thalweg")
        why = _wrong_number(error, words) or _taken_for_an_option(error, words)
        return why or f"{error.format_message()} ({path} --help shows how)", 2
    if type(error).__name__ == "Abort":
        return "interrupted", 130
    name = type(error).__name__
    if isinstance(error, OSError):
        if error.filename:
            return f"{error.strerror or name}: {error.filename}; mend that and try again", 2
        return f"{error.strerror or name}; mend that and try again", 2
    fault = f"a fault in thalweg itself, please report it: {name}: {error} (--traceback shows where)"
    return _scarce(error) or fault, 1


def _scarce(error: Exception) -> str | None:
    """What the machine had too little of, and the way out; None where the error is another one."""
    words = str(error).lower()
    if isinstance(error, MemoryError) or any(each in words for each in _NO_MEMORY):
        return (
            "memory ran out: close other programs, allow more (ulimit -v), or choose a smaller --image-size or "
            "--batch-size"
        )
    if "can't start new thread" in words:
        return "no more threads can be started: end other programs, or allow more (ulimit -u)"
    return None


def _taken_for_an_option(error: Exception, words: Sequence[str]) -> str:
    """The way out where an unknown option is the name of a file; empty where it is none."""
    options = words[: words.index("--")] if "--" in words else words
    file = next((printable(word) for word in options if word.startswith("-") and os.path.lexists(word)), "")
    if not file or not hasattr(error, "option_name"):
        return ""
    return f"{file} is taken for an option: write ./{file} for the file"


def _wrong_number(error: Exception, words: Sequence[str]) -> str:
    """What is wanted of an option that takes a number and was given none; empty where something else is wrong.

    typer's own sentence says neither the value nor a right one, and changes with its version.
    """
    told = getattr(error, "message", "") or ""
    kind = next((kind for kind in ("integer", "number", "float") if f"valid {kind}" in told), None)
    for option in getattr(getattr(error, "param", None), "opts", ()) if kind else ():
        given = given_to(option, words)
        if given is not None:
            return wanted_number(option, given, whole=kind == "integer")
    return ""


def _complain(settings: Settings, message: str, status: int) -> int:
    english = " ".join(message.split())
    with speaking(settings.lang):
        try:
            line = said(english, "error")
        except ThalwegError:  # the catalogue itself may be what is wrong
            line = english
    sys.stderr.write(f"thalweg: {line}\n")
    if settings.json and not (settings.launch is not None and settings.launch.restarts_left):  # who comes next answers
        try:
            emit_json({"error": english, "exit_status": status})
        except OSError:  # a full disk or a reader gone: the line above has said why
            lead_nowhere(sys.stdout)
    return status
