"""The report of a network that gives every pixel a class."""

import math

import numpy as np

from thalweg.core.codec import dumps, from_plain
from thalweg.core.context_use import ContextUse
from thalweg.core.dataset import DataSummary
from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.files import printable, write_atomically
from thalweg.core.history import epochs_from_csv
from thalweg.core.masks import MaskReading
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import (
    Block,
    Compared,
    Comparisons,
    Curves,
    Line,
    Paragraph,
    PictureGrid,
    Report,
    Section,
    Table,
)
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.batching.augment import augmentation_for
from thalweg.data.batching.batches import Batches
from thalweg.rendering.markup import capitalised
from thalweg.rendering.pages.diagnosis import diagnosis_blocks
from thalweg.rendering.pages.html import render_html
from thalweg.training.loss import pixel_weights
from thalweg.workbench.answering.mask_scores import ScoredPictures
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.reporting.context import context_section
from thalweg.workbench.reporting.data import data_blocks
from thalweg.workbench.reporting.mask_pictures import compared, legend_of, overlay
from thalweg.workbench.reporting.masks_scores import answer_lines, belief_blocks, missed_blocks, score_blocks
from thalweg.workbench.reporting.parts import (
    network_blocks,
    provenance,
    reproduction_blocks,
    training_blocks,
    use_blocks,
)

__all__ = ["write_mask_report"]

SAMPLES, AUGMENTED, SHOWN, BEST = 8, 4, 6, 3


def write_mask_report(
    folder: RunFolder,
    *,
    loaded: Loaded,
    plan: TrainingPlan,
    scored: ScoredPictures,
    context: ContextUse | None = None,
    diagnosed: DiagnosedRun | None = None,
) -> None:
    """Gather a finished run into a report and write it.

    Args:
        folder: The run, with its metrics.
        loaded: Its pictures and masks.
        plan: Its plan.
        scored: Its scores.
        context: How far its network looks; None leaves that out.
        diagnosed: What its curves say.
    """
    metrics = folder.read_json("metrics.json")
    metrics.pop("segmentation", None)
    metrics.pop("safety", None)
    result = from_plain(TrainResult, metrics, "metrics.json")
    summary = from_plain(DataSummary, folder.read_json("data.json"), "data.json")
    reading = summary.masks
    assert reading is not None  # noqa: S101 - only such runs come here
    about_data = tuple(finding for finding in result.findings if finding.code.startswith("DAT"))
    diagnosis = (Section(title="Diagnosis", blocks=diagnosis_blocks(diagnosed)),) if diagnosed else ()
    gallery = _Gallery(loaded, summary, reading, plan, scored)
    content = Report(
        title=f"{plan.network} on {printable(plan.source)}",
        answer=answer_lines(result, scored, folder),
        sections=(
            Section(
                title="Data",
                blocks=(*gallery.samples(), *_mask_blocks(summary, reading), *data_blocks(summary, about_data)),
            ),
            Section(
                title="Network",
                blocks=(*_encoder_blocks(folder, plan), *network_blocks(folder)),
            ),
            *((context_section(context, folder),) if context is not None else ()),
            Section(
                title="Training",
                blocks=(*_loss_blocks(folder, plan, summary, reading), *training_blocks(folder, result)),
            ),
            *diagnosis,
            Section(title="Evaluation", blocks=score_blocks(scored, result)),
            Section(title="Pictures", blocks=gallery.answers()),
            Section(title="What it misses", blocks=missed_blocks(scored)),
            Section(title="How far to believe it", blocks=belief_blocks(scored)),
            Section(title="How to use this network", blocks=use_blocks(folder)),
            Section(title="How to repeat this run", blocks=reproduction_blocks(folder, plan)),
        ),
        provenance=provenance(folder, plan),
    )
    write_atomically(folder.path / "report.json", dumps(content))
    folder.write_text("report.html", render_html(content))


def _mask_blocks(summary: DataSummary, reading: MaskReading) -> tuple[Block, ...]:
    """How masks were read, and how much of the pictures each class covers."""
    height, width = reading.extents
    parts = list(reading.pixels)
    totals = {part: sum(reading.pixels[part]) for part in parts}
    rows = tuple(
        (printable(name), *(f"{100 * reading.pixels[part][index] / max(1, totals[part]):.2f}" for part in parts))
        for index, name in enumerate(summary.classes)
    )
    void = tuple(f"{100 * reading.void[part] / max(1, totals[part] + reading.void[part]):.2f}" for part in parts)
    return (
        Paragraph(text=f"{reading.layout}. {capitalised(reading.coding)}."),
        Paragraph(
            text=f"Pictures (bilinear) and masks (nearest pixel) are brought to {width} x {height} for training; "
            f"scores are made at each mask's own size, to which the network's logits are enlarged bilinearly."
        ),
        Table(
            caption="Share of the labelled pixels a class, in percent; last, the share of all pixels that is void",
            header=("class", *parts),
            rows=(*rows, ("void", *void)),
        ),
    )


def _encoder_blocks(folder: RunFolder, plan: TrainingPlan) -> tuple[Block, ...]:
    """What the encoder began with, and how it learns."""
    if plan.backbone is None:
        return ()
    about = folder.read_json("backbone.json")
    weights = about.get("weights")
    told = dict(weights) if isinstance(weights, dict) else {}
    stays = f" Its first {about['frozen']} stages stay as they came." if about.get("frozen") else ""
    held = " Its batch normalisations keep the statistics they came with." if plan.batch_norm == "frozen" else ""
    return (
        Paragraph(
            text=f"The encoder began with published weights: {plan.backbone}, {told.get('about', '')} (SHA-256 "
            f"{told.get('sha256') or 'not known'}). It learns at {about.get('encoder_share')} of the rate, decoder and "
            f"context module, which began at random, at the whole of it.{stays}{held}"
        ),
    )


def _loss_blocks(
    folder: RunFolder, plan: TrainingPlan, summary: DataSummary, reading: MaskReading
) -> tuple[Block, ...]:
    """What is minimised, and the curve of what is watched."""
    weights = pixel_weights(reading.pixels["train"], plan.class_weights)
    rows = epochs_from_csv(folder.read_text("history.csv"), "history.csv")
    iou = [row.get("val_mean_iou", math.nan) for row in rows]
    said = "Cross-entropy of every pixel that has a class (void pixels count for nothing)" + (
        "." if weights is None else ", weighted by class as in the table below, so that thin and rare things count."
    )
    if plan.overlap_loss:
        said += (
            f" Added is {plan.overlap_loss:g} times the Lovász-softmax loss, which counts the overlap of each class "
            f"that a picture shows, so that small classes weigh as much as large ones."
        )
    changes = augmentation_for(plan.augment, upright=summary.upright, masks=True, mirror=plan.mirror, shift=plan.shift)
    moved = (
        f" Training pictures and their masks are {'mirrored, ' if changes.flip_horizontal else ''}scaled by up to "
        f"{changes.zoom:.0%} and shifted by up to {changes.shift:.0%} together (what is cut off is gone, what appears "
        f"is a reflection); brightness, contrast and colour change in the picture alone."
        if changes.zoom
        else " Training pictures are left as they are."
        if plan.augment == "none"
        else f" Training pictures are {'mirrored with their masks, ' if changes.flip_horizontal else ''}neither "
        f"shifted nor scaled; brightness, contrast and colour change."
    )
    blocks: list[Block] = [Paragraph(text=said + moved)]
    if weights is not None:
        listed = tuple(
            (printable(name), f"{weight:.2f}") for name, weight in zip(summary.classes, weights, strict=True)
        )
        blocks.append(
            Table(caption="Weight of a pixel in the loss", header=("class", "weight"), rows=listed, folded=True)
        )
    steps = tuple(float(row["epoch"]) for row in rows)
    blocks.append(
        Curves(
            caption="Mean intersection over union on the watched split, at the size of training",
            x_label="epoch",
            y_label="mean IoU",
            lines=(Line(label="validation", x=steps, y=tuple(iou)),),
        )
    )
    return tuple(blocks)


class _Gallery:
    """The pictures of a report, with masks over them."""

    def __init__(
        self, loaded: Loaded, summary: DataSummary, reading: MaskReading, plan: TrainingPlan, scored: ScoredPictures
    ) -> None:
        assert loaded.masks is not None  # noqa: S101 - only such runs come here
        self.loaded, self.masks, self.summary, self.plan, self.scored = loaded, loaded.masks, summary, plan, scored
        self.palette, self.legend = reading.palette, legend_of(summary.classes, reading.palette)
        self.position = {file: index for index, file in enumerate(loaded.files)}

    def samples(self) -> tuple[Block, ...]:
        """Random training pictures under their masks, and some as augmentation changes them."""
        random = np.random.default_rng((self.plan.seed, 7))
        train = self.summary.train
        chosen = [self.position[train[index]] for index in random.permutation(len(train))[:SAMPLES]]
        plain = tuple(
            overlay(self._pixels(index), self.masks.pixels[index], self.palette, "", file=self.loaded.files[index])
            for index in chosen
        )
        caption = f"{len(plain)} random pictures of the training split under their masks"
        blocks: list[Block] = [
            Comparisons(
                caption="Colours of the classes, here and below; what is only darkened is void",
                pictures=(),
                legend=self.legend,
            ),
            PictureGrid(caption=caption, pictures=plain),
        ]
        changes = augmentation_for(
            self.plan.augment, upright=self.summary.upright, masks=True, mirror=self.plan.mirror, shift=self.plan.shift
        )
        if self.plan.augment != "none":
            some = np.asarray(chosen[:AUGMENTED], np.int64)
            source = Batches(
                self.loaded.pictures.pixels,
                self.loaded.rows[some],
                some,
                batch_size=len(some),
                seed=self.plan.seed,
                augmentation=changes,
                masks=self.masks.pixels,
                mask_rows=some,
            )
            batch = source.batch(np.arange(len(some)), 1, 0)
            pixels = batch.pixels.movedim(1, -1).round().byte().numpy()
            masks = batch.labels.numpy().astype(np.uint8)
            shown = tuple(
                overlay(pixels[place], masks[place], self.palette, "", file=self.loaded.files[index])
                for place, index in enumerate(some)
            )
            blocks.append(PictureGrid(caption="The first of them as augmentation changes them", pictures=shown))
        return tuple(blocks)

    def answers(self) -> tuple[Block, ...]:
        """Worst, best and random pictures, truth and answer over each other."""
        confusions = self.scored.confusions
        right = np.trace(confusions, axis1=1, axis2=2) / np.maximum(1, confusions.sum(axis=(1, 2)))
        order = np.argsort(right, kind="stable")
        worst, best = order[:SHOWN], order[SHOWN:][::-1][:BEST]
        middle = np.setdiff1d(np.arange(len(order)), np.concatenate((worst, best)))
        random = np.random.default_rng((self.plan.seed, 8)).permutation(middle)[:SHOWN]
        named = (
            ("Worst pictures, by share of right pixels", worst),
            ("Best pictures", best),
            ("Random others", random),
        )
        return tuple(
            Comparisons(
                caption=f"{caption}: left of the slider the prediction, right of it the truth",
                pictures=tuple(self._compared(int(place), float(right[place])) for place in places),
                legend=self.legend,
            )
            for caption, places in named
            if len(places)
        )

    def _compared(self, place: int, right: float) -> Compared:
        index = self.scored.indices[place]
        return compared(
            self._pixels(index),
            self.masks.pixels[index],
            self.scored.answers[place],
            self.palette,
            f"{right:.1%} of pixels right",
            file=self.loaded.files[index],
        )

    def _pixels(self, index: int) -> np.ndarray:
        return np.asarray(self.loaded.pictures.pixels[self.loaded.rows[index]])
