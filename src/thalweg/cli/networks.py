"""`count` and `draw`: what a network consists of, without building it."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import emit_text, tell
from thalweg.core.languages import said

__all__ = ["count", "draw"]

NetworkArgument = Annotated[
    str,
    typer.Argument(
        help="A name such as resnet50, a run folder, a JSON or YAML file, 'conv2d(16,3) relu flatten dense(2)', "
        "module:function, or timm:NAME.",
        show_default=False,
    ),
]
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input",
        help="Channels and size of a sample: 3,224,224; of several inputs '3,224,224; 10'.",
        show_default="the network's usual one",
    ),
]
ClassesOption = Annotated[
    int | None, typer.Option(help="Classes, of a named network.", show_default="the network's usual number")
]


def count(
    context: typer.Context,
    network: NetworkArgument,
    input_: InputOption = None,
    classes: ClassesOption = None,
    solve: Annotated[
        str | None,
        typer.Option(help="Which input sizes give that? 'flatten=59*64'", show_default=False),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, markdown, csv or html.")] = "text",
    batch_size: Annotated[int, typer.Option(help="Samples a step, for the memory of training.")] = 32,
) -> int:
    """Count parameters, multiplications, memory and receptive fields."""
    settings: Settings = context.obj
    from thalweg.core.errors import PlanError
    from thalweg.rendering.texts.count import solved_sentence, write_count
    from thalweg.rendering.texts.ledger import FORMS
    from thalweg.workbench.count import count as work

    if form not in FORMS:
        raise PlanError(f"--format {form}: choose one of {', '.join(FORMS)}, or give --json")
    result = work(network, input=input_, classes=classes, solve=solve, batch_size=batch_size)
    if settings.json:
        emit_json(result.to_json())
        return 0
    if form != "text":
        tell(settings, result.note)
    emit_text(write_count(result, form))
    if form == "csv" and result.solved:
        tell(settings, solved_sentence(result.solved))
    return 0


def draw(
    context: typer.Context,
    network: NetworkArgument,
    input_: InputOption = None,
    classes: ClassesOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="svg, png, text, mermaid, dot; yaml, json: the description; python.",
            show_default="what --out ends in, else text",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write.", show_default="standard output")] = None,
    width: Annotated[
        int | None, typer.Option(help="Columns of the drawing as text.", show_default="the terminal's, at most 80")
    ] = None,
) -> int:
    """Draw a network: SVG, PNG, text, Mermaid or DOT."""
    settings: Settings = context.obj
    from thalweg.core.files import printable
    from thalweg.workbench.draw import draw as work

    if width is None:
        width = max(40, min(80, shutil.get_terminal_size((80, 24)).columns))
    result = work(network, input=input_, classes=classes, format=form, out=out, width=width)
    if settings.json:
        emit_json(result.to_json())
        return 0
    tell(settings, result.note)
    if result.path is None:
        emit_text(result.drawing)
    else:
        typer.echo(said(f"Drawing: {printable(result.path)}"))
    return 0
