"""`thalweg report`: a finished run as one page, kept as data (`report.json`) and so rendered again at will."""

from pathlib import Path

import numpy as np

from thalweg.core.codec import dumps, from_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable, write_atomically
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import Matrix, Picture, PictureGrid, Report, Section
from thalweg.core.results import ReportResult, TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.batching.augment import augmentation_for, described_changes
from thalweg.data.batching.batches import Batches
from thalweg.evaluation.mistakes import worst_mistakes
from thalweg.rendering.pages.diagnosis import diagnosis_blocks
from thalweg.rendering.pages.html import render_html
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.answering.predictions import predictions_from_csv
from thalweg.workbench.loading.loading import Loaded
from thalweg.workbench.loading.pictures import as_picture, thumbnails
from thalweg.workbench.loading.suspects import suspects_of
from thalweg.workbench.reporting.answer import answer_lines, key_numbers
from thalweg.workbench.reporting.data import data_blocks
from thalweg.workbench.reporting.looks import looks_section
from thalweg.workbench.reporting.parts import (
    evaluation_blocks,
    network_blocks,
    provenance,
    reproduction_blocks,
    training_blocks,
    use_blocks,
)
from thalweg.workbench.reporting.transfer import transfer_sections

__all__ = ["answer", "report", "write_report"]

_WITHOUT = {
    (False, False): "",
    (True, False): ": not mirrored",
    (False, True): ": neither shifted nor scaled",
    (True, True): ": neither mirrored nor shifted nor scaled",
}
"""Behind a caption: what augmentation leaves out, mirroring and shifts."""
SAMPLES, AUGMENTED, MISTAKES, PER_CELL, CELL_BUDGET = 16, 8, 16, 8, 240
_HOW = {
    "picture": "",
    "signal": " (each in its own range of values; the grey line is zero)",
    "volume": " (three slices through the centre of mass, one across each axis)",
    "clip": " (the first, a middle and the last frame)",
}


def report(run: str | Path) -> ReportResult:
    """Render the report of a finished run again, for example after an update of thalweg.

    Args:
        run: The run folder.

    Returns:
        The run and the path of the page.

    Raises:
        RunError: There is no run, or it is not finished.

    Example:
        >>> report("runs/none")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    folder = RunFolder.open(Path(run))
    folder.write_text("report.html", render_html(folder.read_report()))
    return ReportResult(run=str(folder.path), report=str(folder.path / "report.html"))


def write_report(
    folder: RunFolder,
    *,
    loaded: Loaded,
    plan: TrainingPlan,
    diagnosed: DiagnosedRun | None = None,
    trained: TrainedModel | None = None,
) -> None:
    """Gather a finished run into a report and write it.

    Args:
        folder: The run, with its metrics and predictions.
        loaded: Its pictures.
        plan: Its plan.
        diagnosed: What its curves say.
        trained: Its network, to show where it looks; None leaves that out.
    """
    metrics = folder.read_json("metrics.json")
    evaluation = from_plain(Evaluation, metrics.pop("evaluation"), "metrics.json")
    result = from_plain(TrainResult, metrics, "metrics.json")
    summary = from_plain(DataSummary, folder.read_json("data.json"), "data.json")
    gallery = _Gallery(folder, loaded, summary, plan)
    about_data = tuple(finding for finding in result.findings if finding.code.startswith("DAT"))
    diagnosis = (
        (Section(title="Diagnosis", blocks=diagnosis_blocks(diagnosed, beside_training=True)),) if diagnosed else ()
    )
    content = Report(
        title=f"{plan.network} on {printable(plan.source)}",
        answer=answer_lines(result, evaluation, folder),
        numbers=key_numbers(result, evaluation, diagnosed),
        sections=(
            Section(title="Data", blocks=(*gallery.samples(), *data_blocks(summary, about_data))),
            Section(title="Network", blocks=network_blocks(folder)),
            Section(title="Training", blocks=training_blocks(folder, result)),
            *diagnosis,
            *transfer_sections(folder, plan),
            Section(title="Evaluation", blocks=(gallery.matrix(evaluation), *evaluation_blocks(evaluation))),
            Section(title="Worst mistakes", blocks=(gallery.mistakes(),)),
            *gallery.looks(trained),
            Section(title="How to use this network", blocks=use_blocks(folder)),
            Section(title="How to repeat this run", blocks=reproduction_blocks(folder, plan)),
        ),
        provenance=provenance(folder, plan),
    )
    write_atomically(folder.path / "report.json", dumps(content))
    folder.write_text("report.html", render_html(content))


class _Gallery:
    """The samples of a report, chosen by the run's seed and its predictions."""

    def __init__(self, folder: RunFolder, loaded: Loaded, summary: DataSummary, plan: TrainingPlan) -> None:
        self.classes = summary.classes
        self.plan, self.loaded, self.summary = plan, loaded, summary
        self.form, self.frames = loaded.form, loaded.scan.kind == "clip"
        self.how = _HOW["clip" if self.frames else loaded.form]
        self.row = dict(zip(loaded.files, (int(row) for row in loaded.rows), strict=True))
        self.label = dict(zip(loaded.files, (int(label) for label in loaded.labels), strict=True))
        shown = summary.test or summary.validation
        read = predictions_from_csv(folder.read_text("predictions.csv"), self.classes, shown)
        self.files, self.probabilities, self.labels = read

    def samples(self) -> tuple[PictureGrid, ...]:
        """Random labelled pictures of the training split, and some of them as augmentation shows them."""
        random = np.random.default_rng((self.plan.seed, 7))
        train = self.summary.train
        chosen = [train[index] for index in random.permutation(len(train))[:SAMPLES]]
        plain = thumbnails(
            self.loaded.pictures.pixels,
            [self.row[file] for file in chosen],
            [self.classes[self.label[file]] for file in chosen],
            chosen,
            frames=self.frames,
        )
        caption = f"{len(plain)} random {self.form}s of the training split, with their class{self.how}"
        grids = [PictureGrid(caption=caption, pictures=plain)]
        plan = self.plan
        changes = augmentation_for(
            plan.augment, upright=self.summary.upright, form=self.form, mirror=plan.mirror, shift=plan.shift
        )
        if changes != augmentation_for("none", upright=True):
            some = chosen[:AUGMENTED]
            source = Batches(
                self.loaded.pictures.pixels,
                [self.row[file] for file in some],
                [self.label[file] for file in some],
                batch_size=len(some),
                seed=self.plan.seed,
                augmentation=changes,
                mean=self.summary.reading.mean if self.summary.reading else (),
                deviation=self.summary.reading.deviation if self.summary.reading else (),
            )
            batch = source.batch(np.arange(len(some)), 1, 0)
            block = batch.pixels.movedim(1, -1)
            block = block.round().byte() if self.form == "picture" else block
            shown = tuple(
                as_picture(np.ascontiguousarray(pixels), self.classes[self.label[file]], file=file, frames=self.frames)
                for pixels, file in zip(block.numpy(), some, strict=True)
            )
            how = _WITHOUT[plan.mirror is False, plan.shift is False]
            how = f": {described_changes(changes)}" if self.form != "picture" else how
            caption = f"The first of them as augmentation changes them in training{how}"
            grids.append(PictureGrid(caption=caption, pictures=shown))
        return (*grids, *self._suspects())

    def _suspects(self) -> tuple[PictureGrid, ...]:
        """Pictures whose label looks wrong; not in a run in minutes, whose report has a few seconds only."""
        found = () if self.plan.minutes is not None else suspects_of(self.loaded, seed=self.plan.seed)
        if not found:
            return ()
        shown = found[:SAMPLES]
        pictures = thumbnails(
            self.loaded.pictures.pixels,
            [self.row[each.file] for each in shown],
            [f"{each.label}; looks like {each.looks_like}" for each in shown],
            [each.file for each in shown],
            "label?",
        )
        caption = (
            f"{len(found):,} labels look wrong to a plain model that never saw them, in five folds over all files; "
            f"the {len(shown)} least believable"
        )
        return (PictureGrid(caption=caption, pictures=pictures),)

    def mistakes(self) -> PictureGrid:
        """The wrong answers that the network was surest of."""
        worst = worst_mistakes(self.probabilities, self.labels, MISTAKES)
        return PictureGrid(
            caption="Wrong answers, the surest first" if len(worst) else "There is no wrong answer on this split",
            pictures=self._predicted([int(index) for index in worst], badge="wrong"),
        )

    def looks(self, trained: TrainedModel | None) -> tuple[Section, ...]:
        """Where the network looks on some of the samples."""
        if trained is None or not self.files:
            return ()
        return (looks_section(trained, self.loaded, self.files, self.probabilities, self.labels),)

    def matrix(self, evaluation: Evaluation) -> Matrix:
        """The confusion matrix with pictures behind its cells, mistakes before right answers."""
        answers = self.probabilities.argmax(axis=1)
        cells: dict[str, tuple[Picture, ...]] = {}
        left = CELL_BUDGET
        found = {(int(true), int(answer)) for true, answer in zip(self.labels, answers, strict=True)}
        for true, answer in sorted(found, key=lambda pair: (pair[0] == pair[1], pair)):
            inside = np.flatnonzero((self.labels == true) & (answers == answer))
            surest = inside[np.argsort(-self.probabilities[inside, answer], kind="stable")][: min(PER_CELL, left)]
            left -= len(surest)
            if len(surest):
                cells[f"{true},{answer}"] = self._predicted([int(index) for index in surest])
        return Matrix(
            caption=f"Confusion on the {evaluation.split} split: rows are true classes, columns answers; "
            f"open a cell for its {self.form}s",
            labels=self.classes,
            counts=evaluation.confusion,
            pictures=cells,
        )

    def _predicted(self, indices: list[int], badge: str = "") -> tuple[Picture, ...]:
        captions = []
        for index in indices:
            answer = int(self.probabilities[index].argmax())
            share = self.probabilities[index, answer]
            captions.append(f"{self.classes[self.labels[index]]}; answer {self.classes[answer]} ({share:.0%})")
        files = [self.files[index] for index in indices]
        rows = [self.row[file] for file in files]
        return thumbnails(self.loaded.pictures.pixels, rows, captions, files, badge, frames=self.frames)


def answer(run: str | Path) -> tuple[str, ...]:
    """The lines that open a finished run's report.

    Args:
        run: The run folder.

    Returns:
        At most five sentences.
    """
    return RunFolder.open(Path(run)).read_report().answer
