"""`derive`: gradients of a convolution worked out step by step, and what one output of a layer depends on."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import can_show, emit_text, has_colour, tell
from thalweg.core.languages import said

if TYPE_CHECKING:
    from thalweg.core.dependence import Dependence
    from thalweg.core.derivation import Derivation

__all__ = ["derive"]

_WIDEST = 100
_NARROWEST = 40


def derive(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            help="conv1d, conv2d or conv3d; a case in YAML or JSON; or, with --layer, a network as for `count`.",
            show_default=False,
        ),
    ] = None,
    x: Annotated[
        str | None, typer.Option("--x", help="Input: a size such as 3x3, or nested lists.", show_default=False)
    ] = None,
    f: Annotated[
        str | None, typer.Option("--f", help="Filter: a size such as 2x2, or '[[1,0],[0,-1]]'.", show_default=False)
    ] = None,
    bias: Annotated[
        str | None, typer.Option(help="A bias for each filter: b, or '[1,2]'.", show_default="none")
    ] = None,
    stride: Annotated[str | None, typer.Option(help="One number, or one an axis: 2,1.", show_default="1")] = None,
    padding: Annotated[
        str | None, typer.Option(help="One number, one an axis, same, valid or full.", show_default="valid")
    ] = None,
    dilation: Annotated[str | None, typer.Option(help="One number, or one an axis.", show_default="1")] = None,
    groups: Annotated[int | None, typer.Option(help="Groups of channels.", show_default="1")] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            help="From y to O: mean, sum, 'c*sum', relu, sigmoid, 'maxpool(2)', 'dense', 'mse', 'crossentropy' ...; "
            "several in order.",
            show_default="sum",
        ),
    ] = None,
    prove: Annotated[bool, typer.Option("--prove", help="Compare with torch's autograd in float64.")] = False,
    check: Annotated[
        str | None, typer.Option(help="An answer to check: nested lists, or a file with them.", show_default=False)
    ] = None,
    layer: Annotated[str | None, typer.Option(help="A layer of the network, by name.", show_default=False)] = None,
    at: Annotated[
        str | None, typer.Option(help="Which output of it: channel and position from 0, 0,3,5.", show_default="middle")
    ] = None,
    input_: Annotated[
        str | None, typer.Option("--input", help="With --layer: channels and size of a sample.", show_default="usual")
    ] = None,
    classes: Annotated[int | None, typer.Option(help="With --layer: classes.", show_default="usual")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="text, latex, markdown or html.", show_default="what --out ends in, else text"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write.", show_default="standard output")] = None,
) -> int:
    """Derive the gradients of a convolution on paper, exactly."""
    settings: Settings = context.obj
    from thalweg.core.files import printable
    from thalweg.workbench.deriving.forms import choose_form, keep_paper

    given: dict[str, Any] = {
        "x": x, "f": f, "bias": bias, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
        "head": head or None, "prove": prove or None, "check": check, "layer": layer, "at": at, "input": input_,
        "classes": classes,
    }  # fmt: skip
    chosen = choose_form(form, out)
    from thalweg.workbench.deriving.request import derive as work

    result = work(what, **{name: value for name, value in given.items() if value is not None})
    right = getattr(result, "check", None) is None or result.check.right
    passed = right and getattr(result, "proved", None) is not False
    if settings.json:
        _write(settings, result, chosen, out)
        emit_json(result.to_json())
        return 0 if passed else 1
    note = getattr(result, "note", "")
    tell(settings, note)
    if out is not None:
        keep_paper(result, chosen, out)
        typer.echo(said(f"Derivation: {printable(out)}"))
        _say_check(result)
    else:
        _print(result, chosen)
    return 0 if passed else 1


def _write(settings: Settings, result: "Derivation | Dependence", form: str, out: Path | None) -> None:
    from thalweg.core.files import printable
    from thalweg.workbench.deriving.forms import keep_paper

    if out is not None:
        keep_paper(result, form, out)
        tell(settings, f"Derivation: {printable(out)}")


def _say_check(result: "Derivation | Dependence") -> None:
    """A wrong answer is said where it was asked, not only in the file."""
    from thalweg.rendering.papers.derivation import student_sentences

    check = getattr(result, "check", None)
    if check is not None:
        typer.echo(" ".join(map(said, student_sentences(check))))


def _print(result: "Derivation | Dependence", form: str) -> None:
    from thalweg.workbench.deriving.forms import write_paper

    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    wide = shutil.get_terminal_size((80, 24)).columns if known else 80
    plain = form == "text" and not can_show("∂₁·⎡⎢─")
    width = max(_NARROWEST, min(wide, _WIDEST))
    emit_text(write_paper(result, form, width=width, plain=plain, colour=has_colour()))
