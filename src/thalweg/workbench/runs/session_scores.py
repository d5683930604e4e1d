"""The end of a run: the reported split scored, and everything that `train` answers."""

import math
import statistics
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from thalweg.accounting.ledger import count
from thalweg.core.evaluation import Evaluation
from thalweg.core.finding import Finding
from thalweg.core.results import TrainResult
from thalweg.evaluation.classification import evaluate as score_split
from thalweg.training.progress import Outcome
from thalweg.training.scoring import Scores, predict
from thalweg.workbench.answering.mask_scores import ScoredPictures, score_pictures
from thalweg.workbench.answering.predictions import predictions_to_csv
from thalweg.workbench.runs.monitor import Monitor
from thalweg.workbench.runs.operating import operating_point

if TYPE_CHECKING:  # a session ends here, and this is where it is known
    from thalweg.workbench.runs.session import Session

__all__ = ["answer_of", "score_run"]


def score_run(run: "Session", network: torch.nn.Module) -> tuple[ScoredPictures | None, dict[str, object]]:
    """Score the reported split.

    Args:
        run: The run.
        network: Its trained network.

    Returns:
        Scores of pictures with masks, or None, and what `metrics.json` keeps.
    """
    plan, folder, classes = run.plan, run.folder, run.summary.classes
    if run.summary.masks is not None:
        scored = score_pictures(
            network,
            run.loaded,
            run.scored,
            run.device,
            classes=classes,
            split=run.reported,
            majority=int(np.argmax(run.summary.masks.pixels["train"])),
            batch_size=plan.batch_size or 8,
            listener=run.listener,
        )
        folder.write_text("pictures.csv", scored.to_csv(run.loaded, classes))
        return scored, {"segmentation": scored.evaluation, "safety": scored.safety}
    scores = predict(network, run.batches(run.scored), run.device)
    evaluation = score_split(
        scores.probabilities,
        scores.labels,
        classes=classes,
        split=run.reported,
        majority_class=int(np.argmax(run.summary.counts["train"])),
    )
    _write_scores(run, scores)
    if len(classes) == 2 and (plan.backbone or plan.group_by):  # noqa: PLR2004 - one threshold decides
        chosen = (
            predict(network, run.batches(run.parts.validation), run.device)
            if run.parts.test and run.parts.validation
            else None
        )
        point = operating_point(scores, chosen, classes=classes, split=run.reported)
        folder.write_json("threshold.json", point)
    return None, {"evaluation": evaluation}


def _write_scores(run: "Session", scores: Scores) -> None:
    files = [run.loaded.files[index] for index in run.scored]
    run.folder.write_text(
        "predictions.csv", predictions_to_csv(files, run.summary.classes, scores.probabilities, scores.labels)
    )


def answer_of(
    run: "Session",
    outcome: Outcome,
    evaluation: Evaluation | None,
    diagnosis: tuple[Finding, ...] = (),
    *,
    monitor: Monitor,
    kept_epoch: int | None = None,
) -> TrainResult:
    """Gather what `train` answers.

    Args:
        run: The run.
        outcome: How training ended.
        evaluation: Scores of the reported split, where every sample has a class and the run is finished.
        diagnosis: What the curves say.
        monitor: What was measured and repaired.
        kept_epoch: The epoch whose weights are kept; None for a run that goes on.

    Returns:
        The answer.
    """
    last: Mapping[str, float] = outcome.rows[-1] if outcome.rows else {}
    speeds = [row["images_per_second"] for row in outcome.rows if math.isfinite(row["images_per_second"])]
    three_way = bool(run.parts.test and run.parts.validation)
    best = next((row for row in outcome.rows if row["epoch"] == outcome.best_epoch), last)
    masks = run.summary.masks
    return TrainResult(
        run=str(run.folder.path),
        report=None,
        task=run.plan.task,
        network=run.plan.network,
        classes=run.summary.classes,
        files=run.summary.files,
        train_files=len(run.parts.train),
        test_files=len(run.scored),
        validation_files=len(run.parts.validation) if three_way else 0,
        left_out=run.summary.left_out,
        parameters=count(run.spec).parameters,
        epochs=len(outcome.rows),
        seconds=time.perf_counter() - run.started,
        images_per_second=statistics.median(speeds) if speeds else math.nan,
        accuracy=evaluation.accuracy if evaluation else last.get("val_accuracy", math.nan),
        accuracy_interval=evaluation.accuracy_interval if evaluation else (math.nan, math.nan),
        best_accuracy=best.get("val_accuracy", math.nan),
        best_epoch=outcome.best_epoch,
        kept_epoch=kept_epoch,
        majority_accuracy=evaluation.majority_accuracy if evaluation else math.nan,
        learning_rate=run.plan.learning_rate or math.nan,
        interventions=monitor.interventions,
        monitor_overhead=monitor.overhead,
        findings=(*run.findings, *diagnosis),
        split=run.reported,
        auc=evaluation.auc if evaluation else math.nan,
        auc_interval=evaluation.auc_interval if evaluation else None,
        balanced_accuracy=evaluation.balanced_accuracy if evaluation else math.nan,
        calibration_error=evaluation.calibration_error if evaluation else math.nan,
        interrupted=outcome.interrupted,
        context=run.plan.context,
        best_mean_iou=best.get("val_mean_iou"),
        image_size=None if masks is None else (masks.extents[1], masks.extents[0]),
    )
