"""`diagnose` and `rule`: what is wrong with a run, from its log alone, and what a finding means."""

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import can_show, columns, emit_text, has_colour, tell_page
from thalweg.core.errors import LogError
from thalweg.core.languages import said
from thalweg.core.process import compute_alone

if TYPE_CHECKING:
    from thalweg.core.diagnosis_results import DiagnoseResult

__all__ = ["diagnose", "rule"]


def diagnose(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Training logs or folders of them: Keras, Lightning, TensorBoard, transformers, fastai, Ultralytics, "
            "timm, MLflow, trackio, JSON lines, any CSV, printed progress, or a run folder; - reads what is "
            "pasted or piped.",
            show_default=False,
        ),
    ],
    columns: Annotated[
        str | None,
        typer.Option(help="Which column is what: train_loss=NAME,val_loss=NAME,...", show_default="guessed"),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with the curves marked.", metavar="PAGE")] = None,
) -> int:
    """Say what is wrong with a run, from its log: the learning rate first."""
    settings: Settings = context.obj
    compute_alone()
    from thalweg.workbench.diagnose import diagnose as work

    result = work(*(_pasted(settings) if each == "-" else each for each in paths), columns=columns, html=html)
    for run in result.results:
        if run.error is not None:
            sys.stderr.write(f"thalweg: {said(' '.join(run.error.split()), 'error')}\n")
    if settings.json:
        emit_json(result.to_json())
    else:
        _show(settings, result)
    return result.exit_status


def rule(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[CODE|NAME]", help="Such as LRN001 or overfitting.", show_default="list all"),
    ] = None,
) -> int:
    """Explain a rule; without a name, list them."""
    settings: Settings = context.obj
    from thalweg.rendering.texts.rules import list_rules, rule_text
    from thalweg.workbench.rules import rule as explain
    from thalweg.workbench.rules import rules

    if name is not None:
        text = explain(name)
        if settings.json:
            emit_json(text)
        else:
            emit_text(rule_text(text, _width()))
        return 0
    known = rules()
    if settings.json:
        emit_json({"rules": known})
        return 0
    emit_text(list_rules(known, _width()))
    return 0


def _pasted(settings: Settings) -> IO[bytes]:
    """Standard input; whoever sits before it is told how to end it."""
    if sys.stdin is None:
        raise LogError("- stands for standard input, which is closed here: name a log file")
    if sys.stdin.isatty() and not settings.quiet:
        end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
        sys.stderr.write(said(f"Paste the log, then press {end} on a line of its own.") + "\n")
    return sys.stdin.buffer


def _show(settings: Settings, result: "DiagnoseResult") -> None:
    from thalweg.rendering.texts.diagnosis import diagnosis_text

    emit_text(diagnosis_text(result, width=_width(), colour=has_colour(), plain=not can_show("▁█")))
    tell_page(settings, result.page)


def _width() -> int:
    """Columns of the terminal, within reason; 80 for files and pipes."""
    return min(100, columns())
