"""`diagnose` and `rule`: what is wrong with a run, from its log alone, and what a finding means."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thalweg.cli.settings import Settings, emit_json
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
            "timm, MLflow, trackio, JSON lines, any CSV, printed progress, or a run folder.",
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

    result = work(*paths, columns=columns, html=html)
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
    from thalweg.rendering.rule_text import list_rules, rule_text
    from thalweg.workbench.rules import rule as explain
    from thalweg.workbench.rules import rules

    if name is not None:
        text = explain(name)
        if settings.json:
            emit_json(text)
        else:
            _print(rule_text(text, _width()))
        return 0
    known = rules()
    if settings.json:
        emit_json({"rules": known})
        return 0
    _print(list_rules(known, _width()))
    return 0


def _show(settings: Settings, result: "DiagnoseResult") -> None:
    from thalweg.core.files import printable
    from thalweg.rendering.diagnosis_text import diagnosis_text

    terminal = sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    _print(diagnosis_text(result, width=_width(), colour=colour, plain=not _draws_blocks()))
    if result.page is not None and not settings.quiet:
        sys.stderr.write(said(f"Page: {printable(result.page)}") + "\n")


def _width() -> int:
    """Columns of the terminal, within reason; 80 for files and pipes."""
    return min(100, shutil.get_terminal_size((80, 24)).columns) if sys.stdout.isatty() else 80


def _draws_blocks() -> bool:
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _print(text: str) -> None:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal has every letter
    sys.stdout.write(text)
    sys.stdout.flush()
