"""`explain`: where a trained network looks, and what its stages respond to."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings, emit_json
from thalweg.cli.terminal import emit_text, tell_page

__all__ = ["explain"]


def explain(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.", show_default=False)],
    images: Annotated[
        list[str] | None,
        typer.Argument(
            help="Samples to explain, or folders of such; some held-out ones by default.",
            metavar="[IMAGE]...",
            show_default=False,
        ),
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", help="The class to explain.", metavar="NAME", show_default="the answer"),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="The layer of class activation; the last one with maps by default.")
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(help="Which output of a network with several, by name or place from 0.", show_default="the first"),
    ] = None,
    samples: Annotated[int, typer.Option(help="Held-out samples, where none is named.")] = 6,
    search: Annotated[int, typer.Option(help="Training samples searched for patches; 0 for none.")] = 384,
    seed: Annotated[int, typer.Option(help="Of the choice of samples and of everything random.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    html: Annotated[
        Path | None, typer.Option(help="The page to write.", metavar="PAGE", show_default="RUN/explain.html")
    ] = None,
) -> int:
    """Show where a network looks (Grad-CAM, occlusion, saliency, with checks) and what its stages respond to."""
    settings: Settings = context.obj
    from thalweg.core.files import printable
    from thalweg.core.languages import said

    folder = run if run.is_dir() else run.parent
    page = folder / "explain.html" if html is None and (folder / "plan.toml").is_file() else html
    with Display(settings) as display:
        display.say(f"Looking at {printable(run)} ...")  # loading torch takes seconds
        from thalweg.workbench.explain import explain as work

        result = work(
            run,
            images or (),
            class_=class_,
            layer=layer,
            head=head,
            samples=samples,
            search=search,
            seed=seed,
            device=device,
            html=page,
            listener=display.listener(),
        )
    if settings.json:
        emit_json(result.to_json())
    else:
        from thalweg.rendering.pages.explanation import explain_text

        for number, line in enumerate(explain_text(result).splitlines()):
            of_sample = 1 <= number <= len(result.samples)
            words = line.lstrip()
            indent = line[: len(line) - len(words)]
            emit_text(indent + said(words, "sample" if of_sample else "") + "\n")
    for notice in result.left_out:
        sys.stderr.write(f"thalweg: {said(f'{printable(notice.file)}: {notice.reason}', 'error')}\n")
    if not settings.json:
        tell_page(settings, result.page)
    return 2 if result.left_out else 0
