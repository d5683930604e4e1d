"""`compare`: runs side by side."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.core.languages import said

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
    from thalweg.core.files import printable
    from thalweg.rendering.comparison_page import comparison_text
    from thalweg.workbench.compare import compare as work

    result = work(*runs, html=html)
    if settings.json:
        emit_json(result.to_json())
        return 0
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal has every letter
    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 0
    sys.stdout.write(comparison_text(result, width))
    sys.stdout.flush()
    if result.page is not None and not settings.quiet:
        sys.stderr.write(said(f"Page: {printable(result.page)}") + "\n")
    return 0
