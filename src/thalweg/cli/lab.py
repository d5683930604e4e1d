"""`lab`: claims of courses, measured."""

from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import columns, emit_text, folded, tell_page
from thalweg.core.languages import said

__all__ = ["lab"]


def lab(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The experiment, such as saddle.", show_default="list them")
    ] = None,
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="Data to run it on.", show_default="its own")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Within two minutes on two cores.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes that may work at the same time.", show_default="cores")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="What there is: an experiment that would take longer is not begun.", show_default="25 or 180"
        ),
    ] = None,
    ray: Annotated[
        bool, typer.Option("--ray", help="Spread over the Ray cluster at RAY_ADDRESS, or a new one here (extra ray).")
    ] = False,
    control: Annotated[
        bool,
        typer.Option(
            "--control", help="Of context RUN: also train the network on crops that end at each radius, for comparison."
        ),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="The page to write.", metavar="PAGE", show_default="lab-NAME.html")
    ] = None,
) -> int:
    """Measure a claim of a course: question, set-up, table, figure, what was found, what it does not show."""
    settings: Settings = context.obj
    from thalweg.experiments.lab import lab as work
    from thalweg.experiments.lab import labs
    from thalweg.rendering.pages.lab import lab_text

    if name is None:
        known = labs()
        if settings.json:
            emit_json({"labs": known})
        else:
            emit_text(folded("".join(f"{each}: {said(what)}\n" for each, what in known.items()), hang=2))
        return 0
    page = Path(f"lab-{name}.html") if html is None and name in labs() else html
    with Display(settings) as display:
        result = work(
            name, source, quick=quick, workers=workers, seed=seed, minutes=minutes, ray=ray, html=page, control=control,
            listener=display.listener(),
        )  # fmt: skip
    if settings.json:
        emit_json(result.to_json())
        return 0
    emit_text(lab_text(result, max(30, min(100, columns()))))
    tell_page(settings, result.page)
    return 0
