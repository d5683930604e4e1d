"""`compare`: runs side by side."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import emit_text, tell_page

__all__ = ["compare"]


def compare(
    context: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...", help="Run folders, folders of them, or logs of any framework.", show_default=False
        ),
    ],
    html: Annotated[Path | None, typer.Option(help="Write a page with the curves on one axis.", metavar="PAGE")] = None,
) -> int:
    """Put runs side by side: what differs, how they ended, and which difference is more than chance."""
    settings: Settings = context.obj
    from thalweg.rendering.pages.comparison import comparison_text
    from thalweg.workbench.compare import compare as work

    result = work(*runs, html=html)
    if settings.json:
        emit_json(result.to_json())
        return 0
    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 0
    emit_text(comparison_text(result, width))
    tell_page(settings, result.page)
    return 0
