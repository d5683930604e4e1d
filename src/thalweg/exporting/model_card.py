"""A model card: what a trained network is for, what it was trained on, how good it is, where it fails, how to repeat.

After Mitchell et al. 2019, Model Cards for Model Reporting. Only what was measured is said; what nobody but its makers
can know (licence, consent, who may be harmed) is asked for by name, so that an empty place is seen.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence

from thalweg.core.dataset import DataSummary
from thalweg.core.evaluation import Evaluation
from thalweg.core.results import TrainResult

__all__ = ["is_as_written", "model_card", "sealed"]

_SPECIAL = frozenset("\\|*_`<>[]#")
_MOST_CLASSES = 50
_FEW_FILES = 30
_SEAL = "\n<!-- as written by thalweg: {} -->\n"


def model_card(
    result: TrainResult,
    *,
    summary: DataSummary,
    evaluation: Evaluation | None,
    provenance: Mapping[str, str],
    command: str,
    repeats: str,
) -> str:
    """Write a card as Markdown.

    Args:
        result: The run's answer.
        summary: Its data.
        evaluation: Its scores; None where every pixel has a class.
        provenance: Versions, processor, precision and seed, by name.
        command: What repeats the run.
        repeats: How exactly.

    Returns:
        Markdown with a YAML head that model hubs read.
    """
    parts = [
        _head(result),
        f"# {_plain(result.network)} on {_plain(summary.source)}",
        *_purpose(result),
        *_data(summary, result),
        *_scores(result, evaluation),
        *_limits(result, evaluation, summary),
        "## How to repeat it",
        _code(command),
        repeats,
        _table(("what", "value"), tuple(provenance.items())),
        "## To be filled in",
        "Licence of data and weights; who made the labels, and how surely; whom a wrong answer harms; whom to ask.",
    ]
    return "\n\n".join(parts) + "\n"


def sealed(card: str) -> str:
    r"""Close a card with a comment that tells whether somebody has filled it in since.

    Args:
        card: Markdown.

    Returns:
        The same with the comment, which no renderer of Markdown shows.

    Example:
        >>> card = sealed("# small on photos\n")
        >>> is_as_written(card.encode()), is_as_written(card.replace("small", "ours").encode())
        (True, False)
    """
    return card + _SEAL.format(_digest(card.encode()))


def is_as_written(card: bytes) -> bool:
    """Whether a card is still as it was written, so that another may take its place.

    Args:
        card: The file's bytes.

    Returns:
        False where somebody changed it, or it is somebody's own file.
    """
    head, tail = _SEAL.encode().split(b"{}")
    text, found, digest = card.replace(b"\r\n", b"\n").rpartition(head)
    return bool(found) and digest == _digest(text).encode() + tail


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _head(result: TrainResult) -> str:
    task = "image-segmentation" if result.task == "segmentation" else "image-classification"
    return f"---\nlibrary_name: thalweg\npipeline_tag: {task}\ntags:\n- thalweg\n- convolutional-network\n---"


def _purpose(result: TrainResult) -> Iterator[str]:
    classes = ", ".join(map(_plain, result.classes[:_MOST_CLASSES]))
    more = f" and {len(result.classes) - _MOST_CLASSES} more" if len(result.classes) > _MOST_CLASSES else ""
    what = "every pixel of a picture" if result.task == "segmentation" else "a sample"
    yield "## Intended use"
    yield (
        f"Says which of {len(result.classes)} classes {what} belongs to: {classes}{more}. It knows no others: "
        "whatever it is shown, it answers with one of these. It is meant for samples that were taken as those it was "
        "trained on."
    )


def _data(summary: DataSummary, result: TrainResult) -> Iterator[str]:
    yield "## Data"
    yield (
        f"{summary.files:,} files of `{_inline(summary.source)}`: {len(summary.train):,} to train on, "
        f"{len(summary.validation):,} to watch, {len(summary.test):,} to test. {len(result.left_out):,} were left "
        f"out as broken or unreadable; {len(summary.duplicates):,} groups show the same picture, each kept on one side."
    )
    if len(summary.classes) <= _MOST_CLASSES:
        counted = zip(summary.classes, summary.class_counts, strict=True)
        yield _table(("class", "files"), tuple((name, f"{count:,}") for name, count in counted))


def _scores(result: TrainResult, evaluation: Evaluation | None) -> Iterator[str]:
    yield "## Scores"
    low, high = result.accuracy_interval
    unit = "pixels" if result.task == "segmentation" else "answers"
    spread = f" (95 % interval {low:.1%} to {high:.1%})" if math.isfinite(low) else ""
    where = f"on the {result.test_files:,} files of the {_plain(result.split)} split"
    usual = f"always answering the largest class gives {result.majority_accuracy:.1%}"
    lines = [f"Right {unit}: {result.accuracy:.1%}{spread} {where}; {usual}."]
    if result.mean_iou is not None:
        ends = result.mean_iou_interval
        spread = f" (95 % interval over pictures {ends[0]:.3f} to {ends[1]:.3f})" if ends else ""
        lines.append(f"Mean intersection over union: {result.mean_iou:.3f}{spread}.")
    for name, value in (
        ("ROC AUC", result.auc),
        ("Balanced accuracy", result.balanced_accuracy),
        ("Expected calibration error", result.calibration_error),
    ):
        if math.isfinite(value):
            lines.append(f"{name}: {value:.3f}.")
    yield "\n".join(f"- {line}" for line in lines)
    if evaluation is not None and len(evaluation.classes) <= _MOST_CLASSES:
        rows = tuple(
            (each.name, f"{each.files:,}", *map(_share, (each.precision, each.recall, each.f1)))
            for each in evaluation.classes
        )
        yield _table(("class", "files", "precision", "recall", "F1"), rows)
    elif result.iou is not None and len(result.iou) <= _MOST_CLASSES:
        yield _table(("class", "intersection over union"), tuple((name, _share(v)) for name, v in result.iou.items()))


def _limits(result: TrainResult, evaluation: Evaluation | None, summary: DataSummary) -> Iterator[str]:
    yield "## Limits"
    elsewhere = "Measured on one split of one source: on other cameras, places or times it may be worse."
    lines = [f"{elsewhere} `thalweg evaluate {_inline(result.run)} OTHER` measures that."]
    low, high = result.accuracy_interval
    if math.isfinite(low):
        lines.append(f"Differences below about {(high - low) / 2:.1%} are within what this number of files can tell.")
    rare = [name for name, count in zip(summary.classes, summary.class_counts, strict=True) if count < _FEW_FILES]
    if rare:
        lines.append(f"Fewer than {_FEW_FILES} files: {', '.join(map(_plain, rare[:_MOST_CLASSES]))}.")
    if evaluation is not None:
        lines += [f"Most frequent mistake: {text}." for text in _worst(evaluation, summary.classes)]
    if not summary.test:
        lines.append("The reported split was watched during training; with --patience it decided when to stop.")
    lines += [f"{_plain(each.severity)}: {_plain(each.claim)}." for each in result.findings if each.severity != "info"]
    yield "\n".join(f"- {line}" for line in lines)


def _worst(evaluation: Evaluation, classes: Sequence[str]) -> Iterator[str]:
    wrong = [
        (count, true, answer)
        for true, row in enumerate(evaluation.confusion)
        for answer, count in enumerate(row)
        if count and true != answer
    ]
    if wrong:
        count, true, answer = max(wrong)
        total = sum(evaluation.confusion[true])
        yield f"{_plain(classes[true])} taken for {_plain(classes[answer])}, {count:,} of {total:,} files"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _share(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "none"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")


def _plain(text: object) -> str:
    """Text on one line, in which nothing is markup."""
    words = " ".join(str(text).encode("utf-8", "backslashreplace").decode("utf-8").split())
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in words)
