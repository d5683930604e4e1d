"""`check`: the health of a source."""

from typing import Annotated

import typer

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings, emit_json
from thalweg.core.languages import said

__all__ = ["check"]

SHOWN = 20


def check(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="As for train.", show_default=False)],
) -> int:
    """Say what training on a source would meet."""
    settings: Settings = context.obj
    from thalweg.core.files import printable

    with Display(settings) as display:
        display.say(f"Looking at {printable(source)} ...")
        from thalweg.workbench.check import check as work

        result = work(source, listener=display.listener())
    from thalweg.core.results import exit_status

    if settings.json:
        emit_json(result)
        return exit_status(result.findings)
    counts = ", ".join(f"{printable(name)} {number:,}" for name, number in result.class_counts.items())
    typer.echo(said(f"{result.files:,} usable files belonging to {len(result.classes)} classes: {counts}."))
    if result.masks:
        typer.echo(said(f"Masks: {result.masks}."))
    for title, notices in (("left out", result.left_out), ("odd, but used", result.warnings)):
        typer.echo(said(f"{len(notices):,} files {title}."))
        for notice in notices[:SHOWN]:
            typer.echo(said(f"  {printable(notice.file) or 'the source'}: {printable(notice.reason)}"))
        if len(notices) > SHOWN:
            typer.echo(said(f"  and {len(notices) - SHOWN:,} more (--json lists all)"))
    typer.echo(said(f"{len(result.duplicates):,} groups of files show the same picture."))
    for group in result.duplicates[:SHOWN]:
        differ = " (their classes differ)" if group.labels_differ else ""
        typer.echo(said(f"  {group.kind}: {' = '.join(map(printable, group.files))}{differ}"))
    if result.suspects:
        number = f"{len(result.suspects):,}"
        typer.echo(said(f"{number} labels look wrong to a plain model that never saw them; look at the pictures."))
        for suspect in result.suspects[:SHOWN]:
            instead = printable(suspect.looks_like)
            typer.echo(said(f"  {printable(suspect.file)}: is {printable(suspect.label)}, looks like {instead}"))
    for finding in result.findings:
        typer.echo(said(f"{finding.code} {finding.name} ({finding.severity}): {finding.claim}"))
    return exit_status(result.findings)
