"""`thalweg draw`: a network as SVG, in characters, as Mermaid or DOT, as its description, or as Python."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from thalweg.accounting.ledger import count as count_layers
from thalweg.core.errors import PlanError
from thalweg.core.files import printable, refuse_foreign, write_atomically
from thalweg.core.languages import speaker, spoken
from thalweg.core.layer_cost import Ledger
from thalweg.core.network_plain import spec_to_plain
from thalweg.core.network_results import DrawResult, sizes
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.network_yaml import spec_to_yaml
from thalweg.exporting.png import PNG_MARK, svg_png
from thalweg.networks.listing import list_network
from thalweg.rendering.diagrams.diagram import draw_svg
from thalweg.rendering.diagrams.dot import to_dot
from thalweg.rendering.diagrams.mermaid import to_mermaid
from thalweg.rendering.diagrams.text import draw_text
from thalweg.rendering.said_drawing import said_drawing
from thalweg.workbench.describing.describing import InputSizes, describe

if TYPE_CHECKING:
    from torch import nn

__all__ = ["FORMATS", "draw"]

FORMATS: Mapping[str, Callable[[NetworkSpec, Ledger], str]] = MappingProxyType({
    "svg": lambda spec, ledger: said_drawing(draw_svg(spec, ledger), speaker(spoken(), isolated=True)),
    "text": draw_text,
    "mermaid": to_mermaid,
    "dot": to_dot,
    "yaml": lambda spec, _: spec_to_yaml(spec),
    "json": lambda spec, _: json.dumps(spec_to_plain(spec), indent=1),
    "python": lambda spec, _: list_network(spec),
})
"""YAML and JSON are the description itself, which `count`, `draw` and `build` read back; Python is what writes it."""

_NARROWEST, _WIDEST = 40, 400
_ENDINGS: Mapping[str, str] = MappingProxyType({
    ".svg": "svg",
    ".png": "png",
    ".txt": "text",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".py": "python",
})
_MARKS: Mapping[str, bytes] = MappingProxyType({
    "svg": b'class="tw tw-network"',
    "png": PNG_MARK,
    "text": b" buffers, ",
    "mermaid": b":::input",
    "yaml": b"schema: 1\nname: ",
    "json": b'{\n "schema": 1,\n "name": ',
    "dot": b'node [shape=box, style=rounded, fontname="sans-serif"]',
})
"""What every drawing of a form holds, so that another may take its place; Python is written by hand, too."""


def draw(
    network: "str | Path | NetworkSpec | nn.Module",
    *,
    input: InputSizes = None,  # noqa: A002 - the word of the option
    classes: int | None = None,
    format: str | None = None,  # noqa: A002 - the word of the option
    out: str | Path | None = None,
    width: int = 80,
) -> DrawResult:
    """Draw a network: boxes with parameters, shapes on the arrows, branches side by side, repeats folded.

    Args:
        network: As for `count`.
        input: Channels and size of one sample, such as `3,224,224`; of several inputs in a list or as `3,224,224; 10`;
            what is usual, or stands in the file, by default.
        classes: Number of classes of a network of the catalogue or of timm; what is usual by default.
        format: `svg`, `png` (into a file), `text`, `mermaid`, `dot`, the description itself as `yaml` or `json`, or
            the `python` that writes it; by default what the ending of `out` says, else `text`.
        out: A file to write.
        width: Columns of the drawing as text, from 40.

    Returns:
        The drawing (of PNG the SVG behind it), and where it was written; in a notebook an SVG shows itself.

    Raises:
        PlanError: The format is unknown, the file cannot be written there or is another one, or the input is missing.
        SpecError: Nothing is called that, or the description is not well formed.
        ShapeError: A layer does not fit what it reads.
        RunError: The run folder is damaged.
        MissingExtraError: timm, or for PNG resvg, is not installed.

    Example:
        >>> print(str(draw("conv2d(8,3) relu", input="3,8,8", format="mermaid")).splitlines()[1])
          n0["input<br>input"]:::input
    """
    if isinstance(width, bool) or not isinstance(width, int) or not _NARROWEST <= width <= _WIDEST:
        raise PlanError(f"--width {width}: columns from {_NARROWEST} to {_WIDEST} are possible")
    path = Path(out) if out is not None else None
    form = format or (_ENDINGS.get(path.suffix.lower(), "") if path else "text")
    if form not in FORMATS and form != "png":
        known = ", ".join(("png", *FORMATS))
        if format is None:
            raise PlanError(f"{printable(out or '')}: say what to draw with --format ({known}), or end it in .svg")
        raise PlanError(f"--format {format}: choose one of {known}")
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise PlanError(f"--out {printable(path)} {what}; name a file in a folder that does")
    if form == "png" and path is None:
        raise PlanError("--format png: name the file with --out")
    described = describe(network, input=input, classes=classes)
    spec = described.spec
    ledger = count_layers(spec)
    drawing = (
        draw_text(spec, ledger, width) if form == "text" else FORMATS["svg" if form == "png" else form](spec, ledger)
    )
    drawing = drawing if drawing.endswith("\n") else f"{drawing}\n"
    if path is not None:
        refuse_foreign(path, "--out", _MARKS.get(form) or drawing.encode(), marked=form in _MARKS)
        write_atomically(path, svg_png(drawing) if form == "png" else drawing)
    return DrawResult(
        network=spec.name,
        input=sizes(spec.inputs),
        format=form,
        drawing=drawing,
        path=None if path is None else str(path),
        note=described.note,
    )
