"""`landscape`: how the loss bends around a finished run, and what lies between two runs."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import emit_text, tell_page

__all__ = ["landscape"]


def landscape(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.", show_default=False)],
    other: Annotated[
        Path | None, typer.Argument(help="A second run of the same network.", metavar="[RUN2]", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option(help="Training samples to compute the loss on.")] = 192,
    points: Annotated[int, typer.Option(help="Places along a slice; a plane has their square.")] = 13,
    batch_norm: Annotated[
        str, typer.Option(help="batch: statistics of each microbatch, as it trains; running: as it answers.")
    ] = "batch",
    dropout: Annotated[str, typer.Option(help="off, or frozen: one draw that stays the same.")] = "off",
    seed: Annotated[int, typer.Option(help="Of the samples and of random directions.")] = 0,
    html: Annotated[
        Path | None, typer.Option(help="The page to write.", metavar="PAGE", show_default="RUN/landscape.html")
    ] = None,
) -> int:
    """Measure curvature at a run's weights: eigenvalues, kind of point, slices, the way to another run."""
    settings: Settings = context.obj
    from thalweg.rendering.pages.landscape import landscape_text
    from thalweg.workbench.landscape import landscape as work

    folder = run if run.is_dir() else run.parent
    page = folder / "landscape.html" if html is None and folder.is_dir() else html
    with Display(settings) as display:
        result = work(
            run,
            other,
            samples=samples,
            points=points,
            batch_norm=cast("Literal['running', 'batch']", batch_norm),
            dropout=cast("Literal['off', 'frozen']", dropout),
            seed=seed,
            html=page,
            listener=display.listener(),
        )
    if settings.json:
        emit_json(result.to_json())
        return 0
    emit_text(landscape_text(result))
    tell_page(settings, result.page)
    return 0
