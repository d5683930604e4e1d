"""The first screen of a run's report: five lines that say how good it is and what to do, and a few numbers."""

from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable
from thalweg.core.history import epochs_from_csv
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import KeyNumber
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.rendering.numerals import decimal, duration
from thalweg.workbench.reporting.advice import advice_of_findings, advice_of_unfinished
from thalweg.workbench.starting.recipes import epochs_for

__all__ = ["answer_lines", "key_numbers"]

BACKBONE = "efficientnet-lite0"
"""The one whose weights come without a network; on the solar cells it takes 0.81 to 0.885 (docs/transfer.md)."""
_MANY_FILES = 50_000


def answer_lines(result: TrainResult, evaluation: Evaluation, folder: RunFolder) -> tuple[str, ...]:
    """The five lines that say how good it is and what to do.

    Args:
        result: The run's scores.
        evaluation: Its evaluation.
        folder: Its folder, for the curves.

    Returns:
        Five sentences.
    """
    low, high = evaluation.accuracy_interval
    lift = evaluation.accuracy - evaluation.majority_accuracy
    verdict = "no better than" if low <= evaluation.majority_accuracy else f"{100 * lift:.1f} points above"
    left_out = f", {len(result.left_out)} left out" if result.left_out else ""
    majority = f"{printable(evaluation.majority_class)} ({evaluation.majority_accuracy:.1%})"
    goodness = (
        f"Right on {evaluation.accuracy:.1%} of {evaluation.files:,} {evaluation.split} files "
        f"(95 % interval {low:.1%} to {high:.1%})."
    )
    comparison = (
        f"That is {verdict} always answering {majority}; "
        f"ROC AUC {decimal(evaluation.auc)}, balanced accuracy {evaluation.balanced_accuracy:.1%}."
    )
    effort = (
        f"Trained {result.network} ({result.parameters:,} parameters) on {result.train_files:,} files{left_out}: "
        f"{result.epochs} epoch{'' if result.epochs == 1 else 's'}, {duration(result.seconds)}, "
        f"{result.images_per_second:,.0f} images/s."
    )
    return goodness, comparison, effort, _confusion_line(evaluation), _advice(result, evaluation, folder)


def key_numbers(result: TrainResult, evaluation: Evaluation, diagnosed: DiagnosedRun | None) -> tuple[KeyNumber, ...]:
    """The few numbers of the first screen, each with its interval or what it is held against.

    Args:
        result: The run's scores.
        evaluation: Its evaluation.
        diagnosed: What its curves say.

    Returns:
        Accuracy, balanced accuracy, learning rate and effort.
    """
    low, high = evaluation.accuracy_interval
    numbers = [
        KeyNumber(
            label="Accuracy",
            value=f"{evaluation.accuracy:.1%}",
            note=f"95 % interval {low:.1%} to {high:.1%}; dashed: always "
            f"{printable(evaluation.majority_class)}, {evaluation.majority_accuracy:.1%}",
            share=evaluation.accuracy,
            low=low,
            high=high,
            reference=evaluation.majority_accuracy,
        ),
        KeyNumber(
            label="Balanced accuracy",
            value=f"{evaluation.balanced_accuracy:.1%}",
            note=f"mean recall of {len(evaluation.classes)} classes; dashed: chance",
            share=evaluation.balanced_accuracy,
            reference=1 / max(1, len(evaluation.classes)),
        ),
    ]
    if diagnosed is not None and diagnosed.error is None:
        rate = diagnosed.learning_rate
        sure = "" if rate.verdict == "undetermined" else f"{rate.confidence:.0%} sure"
        numbers.append(KeyNumber(label="Learning rate", value=rate.verdict.replace("_", " "), note=sure))
    numbers.append(
        KeyNumber(
            label="Training",
            value=duration(result.seconds),
            note=f"{result.epochs} epoch{'' if result.epochs == 1 else 's'}, {result.images_per_second:,.0f} images/s, "
            f"{result.parameters:,} parameters",
        )
    )
    return tuple(numbers)


def _confusion_line(evaluation: Evaluation) -> str:
    names = [score.name for score in evaluation.classes]
    pairs = [
        (number, true, answer)
        for true, row in enumerate(evaluation.confusion)
        for answer, number in enumerate(row)
        if true != answer and number
    ]
    if not pairs:
        return "No file of the split is taken for another class."
    number, true, answer = max(pairs)
    of = sum(evaluation.confusion[true])
    return (
        f"Most frequent mistake: {printable(names[true])} taken for {printable(names[answer])}, "
        f"{number:,} of {of:,} files ({number / of:.0%})."
    )


def _advice(result: TrainResult, evaluation: Evaluation, folder: RunFolder) -> str:
    """One next step, from the plainest facts: data problems, then the gap between the splits, then the curve's end."""
    wrong = advice_of_findings(result)
    if wrong:
        return wrong
    rows = epochs_from_csv(folder.read_text("history.csv"), "history.csv")
    train, held = rows[-1]["train_accuracy"], rows[-1]["val_accuracy"]
    by_heart = train - held > 0.08  # noqa: PLR2004 - a gap that no interval of a few hundred files explains
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"))
    if evaluation.accuracy_interval[0] <= evaluation.majority_accuracy and not by_heart:
        return _of_guessing(plan, result)
    if evaluation.accuracy == 1:
        return "Next: nothing is wrong here; be sure that held-out files are independent of the others (--group-by)."
    scratch = _pictures_from_scratch(plan, result, folder)
    if by_heart:
        start = f", or a pretrained start: --backbone {BACKBONE}" if scratch else ""
        return f"Next: it knows its training files better ({train:.1%}); more pictures would help most{start}."
    unfinished = _behind_its_head(plan, result, held, folder) or advice_of_unfinished(result, rows)
    if unfinished:
        return unfinished
    width = evaluation.accuracy_interval[1] - evaluation.accuracy_interval[0]
    what = f"try a pretrained start, --backbone {BACKBONE}" if scratch else "look through the worst mistakes"
    return f"Next: {what}; the interval, {width:.1%} wide, narrows only with more files held out."


def _of_guessing(plan: TrainingPlan, result: TrainResult) -> str:
    """What to do about a run that is no better than guessing, on its training files neither."""
    usual = epochs_for(plan, result.train_files)
    if plan.minutes is None and 2 * result.epochs <= usual:
        return f"Next: train longer, {result.epochs} of the usual {usual} epochs tell little (leave --epochs out)."
    return "Next: look at the samples and mistakes (are the labels right, is the difference visible at this size?)."


def _behind_its_head(plan: TrainingPlan, result: TrainResult, held: float, folder: RunFolder) -> str:
    """That fine-tuning ended below the head which it began with, on the same files; empty where it did not."""
    kept = (folder.path / "backbone.json").is_file()
    if not kept or not plan.fine_tunes or plan.minutes is not None:  # within minutes the head is told of some files
        return ""
    first = folder.read_json("backbone.json").get("head_first")
    before = first.get("accuracy") if isinstance(first, dict) else None
    if not isinstance(before, float) or held >= before:
        return ""
    return (
        f"Next: before the first epoch the head alone was right on {before:.1%} of the files that now are {held:.1%} "
        f"right: fine-tune longer, --epochs {3 * result.epochs}, or keep that, --head-only."
    )


def _pictures_from_scratch(plan: TrainingPlan, result: TrainResult, folder: RunFolder) -> bool:
    """Whether a pretrained start was open and is likely to help: photos, no more than some tens of thousands."""
    is_pictures = folder.read_json("data.json").get("reading") is None
    return is_pictures and plan.backbone is None and result.train_files <= _MANY_FILES
