"""`serve` and `follow`: looking at runs while they go on."""

from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.settings import Settings

__all__ = ["serve"]


def serve(
    context: typer.Context,
    runs: Annotated[Path, typer.Argument(help="The folder that holds your runs.")] = Path("runs"),
    port: Annotated[int | None, typer.Option(help="Where to listen.", show_default="the first free from 8765")] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; another lets other machines in.")] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(help="What visitors must have.", show_default="drawn anew")] = None,
) -> int:
    """Watch, compare, stop and resume runs on a live page in your browser."""
    settings: Settings = context.obj
    import thalweg

    def say(line: str) -> None:
        if not settings.quiet or line.startswith("http"):
            typer.echo(line, err=settings.json)

    thalweg.serve(runs, port=port, host=host, token=token, say=say)
    return 0
