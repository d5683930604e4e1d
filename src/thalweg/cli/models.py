"""`predict`, `evaluate`, `export`, `report`: the verbs that use a finished run."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings, emit_json
from thalweg.core.languages import said

if TYPE_CHECKING:
    from thalweg.core.results import TrainResult

__all__ = ["evaluate", "export", "predict", "report"]

_PROGRAMS = {"mlflow": "MLflow", "wandb": "W&B"}
RunArgument = Annotated[Path, typer.Argument(help="The run folder.", show_default=False)]


def predict(
    context: typer.Context,
    run: RunArgument,
    images: Annotated[
        list[str], typer.Argument(help="Pictures, arrays, recordings, scans, or folders of such.", show_default=False)
    ],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(help="Trained with masks: a new folder for the masks it predicts.", show_default="none written"),
    ] = None,
    view: Annotated[
        str,
        typer.Option(help="Trained with masks: fitted to the size of training; whole or tiles keep proportions."),
    ] = "fitted",
) -> int:
    """Classify samples, or their pixels; CSV on standard output, or --json."""
    settings: Settings = context.obj
    from thalweg.core.files import printable
    from thalweg.workbench.answering.predictions import csv_line
    from thalweg.workbench.predict import predict as work

    result = work(run, images, device=device, out=out, view=view)
    failed = [prediction for prediction in result.predictions if prediction.error]
    if settings.json:
        emit_json({"predictions": [prediction.to_json() for prediction in result.predictions]})
    else:
        names = result.classes
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8", newline="")  # as `--json`, whatever the terminal's language
        as_shown = printable if sys.stdout.isatty() else str  # programs get names as they are
        sys.stdout.write(csv_line(["file", "class", *(as_shown(f"p_{name}") for name in names), "error"]))
        for each in result.predictions:
            shares = [f"{each.probabilities[name]:.6g}" if each.probabilities else "" for name in names]
            cells = (each.file, each.class_ or "", *shares, each.error or "")
            sys.stdout.write(csv_line(map(as_shown, cells)))
        sys.stdout.flush()
    for note in result.notes:
        typer.echo(said(f"Note: {note}."), err=True)
    for prediction in failed:
        sys.stderr.write(f"thalweg: {said(f'{printable(prediction.file)}: {prediction.error}', 'error')}\n")
    return 2 if failed else 0


def evaluate(
    context: typer.Context,
    run: RunArgument,
    source: Annotated[
        str | None,
        typer.Argument(help="Labelled pictures; the run's own held-out split by default.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> int:
    """Score a trained network on another source."""
    settings: Settings = context.obj
    from thalweg.core.files import printable

    with Display(settings) as display:
        display.say(f"Looking at {printable(source or run)} ...")  # loading torch takes seconds
        from thalweg.workbench.evaluate import evaluate as work

        result = work(run, source, device=device, listener=display.listener())
    if settings.json:
        emit_json(result.to_json())
    else:
        low, high = result.accuracy_interval
        if result.iou is not None:
            for line in segmentation_lines(result):
                typer.echo(said(line))
            return 0
        for finding in result.findings:
            if finding.subject == result.split:
                typer.echo(said(f"Note: {finding.claim}."), err=True)
        area = "" if math.isnan(result.auc) else f", ROC AUC {result.auc:.3f}"
        line = (
            f"Right on {result.accuracy:.1%} of {result.test_files:,} files of {result.split} "
            f"(95 % interval {low:.1%} to {high:.1%}); always the largest training class gives "
            f"{result.majority_accuracy:.1%}; balanced accuracy {result.balanced_accuracy:.1%}{area}."
        )
        typer.echo(said(line))
    return 0


def segmentation_lines(result: "TrainResult") -> tuple[str, str]:
    """Say how good a segmentation is.

    Args:
        result: Its scores.

    Returns:
        Two sentences, of all and of each class.
    """
    from thalweg.core.files import printable

    low, high = result.mean_iou_interval or (math.nan, math.nan)
    each = ", ".join(f"{printable(name)} {iou:.2f}" for name, iou in (result.iou or {}).items() if not math.isnan(iou))
    whole = (
        f"Mean intersection over union {result.mean_iou:.3f} on {result.test_files:,} pictures of {result.split} "
        f"(95 % interval {low:.3f} to {high:.3f}); {result.accuracy:.1%} of pixels right."
    )
    return whole, f"{each}."


def export(
    context: typer.Context,
    run: RunArgument,
    onnx: Annotated[bool, typer.Option("--onnx", help="Write ONNX, verified with onnxruntime.")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="ONNX in 8-bit numbers as well, measured.")] = False,
    model_card: Annotated[bool, typer.Option("--model-card", help="Write a model card (Markdown).")] = False,
    tables: Annotated[bool, typer.Option("--tables", help="Write every table of the report as CSV.")] = False,
    figures: Annotated[bool, typer.Option("--figures", help="Write every figure of the report as SVG.")] = False,
    png: Annotated[bool, typer.Option("--png", help="Every figure as PNG, too (extra plots).")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard's event files.")] = False,
    mlflow: Annotated[
        str | None,
        typer.Option(help="Write the run to MLflow: a tracking URI or a folder (extra mlflow).", show_default=False),
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="MLflow's experiment.", show_default="thalweg")] = None,
    wandb: Annotated[
        str | None,
        typer.Option(help="Write the run for a W&B project, to be synced (extra wandb).", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The file for one of ONNX and card, else the folder.", show_default="the run folder"),
    ] = None,
) -> int:
    """Write a trained network, or its report in parts, for other programs."""
    settings: Settings = context.obj
    from thalweg.core.files import printable
    from thalweg.workbench.export import export as work

    result = work(
        run,
        onnx=onnx,
        int8=int8,
        model_card=model_card,
        tables=tables,
        figures=figures,
        png=png,
        tensorboard=tensorboard,
        mlflow=mlflow,
        experiment=experiment,
        wandb=wandb,
        out=out,
    )
    if settings.json:
        emit_json(result)
        return 0
    shown = 0 if not result.batch_sizes else 1 if result.quantised is None else 2  # with numbers, below
    for path in result.files[shown:]:
        typer.echo(printable(path))
    for each in result.tracked:
        line = (
            f"{_PROGRAMS[str(each['program'])]} run {each['run_id']} of {printable(str(each['project']))} "
            f"{'brought up to date' if each['again'] else 'written'}: {each['metrics']:,} metrics with "
            f"{each['points']:,} new values, {each['settings']:,} settings, {each['files']:,} files. "
            f"Open: {printable(str(each['opened_with']))}"
        )
        typer.echo(said(line))
    for note in result.notes:
        typer.echo(said(f"Note: {note}."), err=True)
    if result.batch_sizes:
        sizes = " and ".join(map(str, result.batch_sizes))
        line = (
            f"{result.path}: {Path(result.path).stat().st_size:,} bytes, within {result.max_difference:.1e} of torch "
            f"at batch sizes {sizes}."
        )
        typer.echo(said(line))
    if result.quantised is not None:
        small = result.quantised
        line = (
            f"{small['path']}: {small['bytes']:,} bytes, {small['accuracy']:.1%} right on {small['files']:,} "
            f"{small['split']} files where float32 is on {small['accuracy_float']:.1%}; "
            f"{small['images_per_second']:,.0f} images/s where float32 makes {small['images_per_second_float']:,.0f}."
        )
        typer.echo(said(line))
    return 0


def report(context: typer.Context, run: RunArgument) -> int:
    """Write the report of a finished run again."""
    settings: Settings = context.obj
    from thalweg.workbench.report import report as work

    result = work(run)
    if settings.json:
        emit_json(result)
    else:
        typer.echo(said(f"Report: {result.report}"))
    return 0
