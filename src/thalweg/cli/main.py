"""`thalweg`: parse, ask the workbench, show the answer. Errors are one clear line and an exit status."""

import sys
import time
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
from thalweg.cli.settings import Settings, emit_json, hush_broken_pipe, take_global_options
from thalweg.cli.stopping import Request, Stopped, stoppable
from thalweg.cli.terminal import tell_of_missing_letters, write_missing_letters_as_escapes
from thalweg.cli.training import demo, resume, train
from thalweg.core.errors import PlanError, RanksPartedError, ThalwegError
from thalweg.core.languages import said, speaking
from thalweg.core.launch import launched
from thalweg.core.process import share_processor

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
    share_processor()
    write_missing_letters_as_escapes()
    words = list(sys.argv[1:] if arguments is None else arguments)
    settings = Settings(json="--json" in words, traceback="--traceback" in words)
    request = Request()
    try:
        settings, rest = take_global_options(words)
        launch = launched()
        settings = replace(settings, started=started, launch=launch)
        if launch is not None:
            _refuse_alone(rest)
        if settings.follows:
            settings = replace(settings, quiet=True, json=False)
        with speaking(settings.lang), stoppable() as request:
            tell_of_missing_letters(settings)
            named = rest or (["--help"] if not settings.json else [])
            answer = app(named, prog_name="thalweg", standalone_mode=False, obj=settings)
        status = answer if isinstance(answer, int) and rest else 2 * (not rest)
    except BrokenPipeError:
        hush_broken_pipe()
        status = 0
    except (Stopped, KeyboardInterrupt) as error:
        parted = _parted(error)  # a launcher ends whoever is left: why is what went before
        if parted is not None:
            status = _complain(settings, *_describe(parted))
        else:
            status = request.answer[1] if settings.follows else _complain(settings, *request.answer)
    except Exception as error:
        if settings.traceback:
            raise
        if settings.follows and not isinstance(error, RanksPartedError):
            status = _describe(error)[1]  # rank 0 says why
        else:
            status = _complain(settings, *(request.answer if request.signum else _describe(error)))
    sys.exit(status)


def _parted(error: BaseException) -> RanksPartedError | None:
    """The loss of another rank that an interruption fell into."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, RanksPartedError):
        found = found.__context__
    return found


def _refuse_alone(words: Sequence[str]) -> None:
    """Refuse a verb that every rank would do for itself."""
    alone = {each.__name__ for each in COMMANDS} - {each.__name__ for each in SPREAD}
    if words and words[0] in alone:
        raise PlanError(f"thalweg {words[0]} works in one process: start it without torchrun")


def _describe(error: Exception) -> tuple[str, int]:
    """One line for an error, and its exit status."""
    if isinstance(error, ThalwegError):
        return str(error), error.exit_status
    if hasattr(error, "format_message"):  # what typer raises for a wrong word on the command line
        path = getattr(getattr(error, "ctx", None), "command_path", "thalweg")
        return f"{error.format_message()} ({path} --help shows how)", 2
    if type(error).__name__ == "Abort":
        return "interrupted", 130
    name = type(error).__name__
    if isinstance(error, OSError):
        if error.filename:
            return f"{error.strerror or name}: {error.filename}; mend that and try again", 2
        return f"{error.strerror or name}; mend that and try again", 2
    return f"a fault in thalweg itself, please report it: {name}: {error} (--traceback shows where)", 1


def _complain(settings: Settings, message: str, status: int) -> int:
    english = " ".join(message.split())
    with speaking(settings.lang):
        try:
            line = said(english, "error")
        except ThalwegError:  # the catalogue itself may be what is wrong
            line = english
    sys.stderr.write(f"thalweg: {line}\n")
    if settings.json and not (settings.launch is not None and settings.launch.restarts_left):  # who comes next answers
        emit_json({"error": english, "exit_status": status})
    return status
