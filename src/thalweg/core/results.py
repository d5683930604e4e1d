"""What a verb answers: the fields that programs rely on, the same from Python and from `--json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from thalweg.core.dataset import Duplicate, Notice
from thalweg.core.finding import Finding
from thalweg.core.intervention import Intervention
from thalweg.core.showing import Showable

__all__ = [
    "CheckResult",
    "ExportResult",
    "PredictResult",
    "Prediction",
    "ReportResult",
    "Suspect",
    "TrainResult",
    "exit_status",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult(Showable):
    """The answer of `train`, `resume` and `evaluate`.

    Args:
        run: The run folder.
        report: The report's path.
        task: What was learned.
        network: The network's name.
        classes: Class names in index order.
        files: Usable files; train and test files together, and validation files where there are three splits.
        train_files: Files trained on.
        test_files: Files of the split that `accuracy` is on.
        left_out: Files that were not used, with the reason.
        parameters: Weights and biases of the network.
        epochs: Epochs trained.
        seconds: Wall time of the whole command.
        images_per_second: Median training speed over the epochs.
        accuracy: Share of right answers on `split`.
        accuracy_interval: 95 % Wilson interval.
        best_accuracy: Best validation accuracy of any epoch; of `evaluate` elsewhere NaN (null in JSON), since no epoch
            was scored there.
        best_epoch: The epoch it was reached in; 0 where none is known.
        majority_accuracy: Accuracy of always answering the largest training class, on the same split.
        learning_rate: Peak learning rate used.
        interventions: Repairs made during the run.
        monitor_overhead: Share of the time that monitoring took; None where nothing monitored.
        findings: What is noteworthy about data and run.
        split: The split that `accuracy` is on: `validation`, `test` or a source.
        validation_files: Files watched during training.
        auc: Area under the ROC curve.
        auc_interval: 95 % score interval of it; None for three and more classes.
        balanced_accuracy: Mean recall over the classes.
        calibration_error: Expected calibration error.
        interrupted: Exit status of an interruption (129, 130 or 143), or None when the run is finished.
        mean_iou: Of a segmentation: mean over the classes of intersection over union; `accuracy` is of pixels then.
        iou: Intersection over union of each class.
        pixel_accuracy: Share of right pixels, the same as `accuracy`.
        context: Module that looks at the whole picture, or `none`.
        mean_iou_interval: 95 % interval over pictures.
        best_mean_iou: Best of any epoch on the watched split, at the size of training; None elsewhere.
        image_size: Width and height that pictures were trained at.
        kept_epoch: The epoch whose weights are kept and scored: the last, unless a validation split that is not
            reported knows an earlier one to be better; None while a run is unfinished, and in runs of older versions.
    """

    run: str
    report: str | None
    task: str
    network: str
    classes: tuple[str, ...]
    files: int
    train_files: int
    test_files: int
    left_out: tuple[Notice, ...]
    parameters: int
    epochs: int
    seconds: float
    images_per_second: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    best_accuracy: float
    best_epoch: int
    majority_accuracy: float
    learning_rate: float
    interventions: tuple[Intervention, ...] = ()
    monitor_overhead: float | None = None
    findings: tuple[Finding, ...] = ()
    split: str = "validation"
    validation_files: int = 0
    auc: float = float("nan")
    balanced_accuracy: float = float("nan")
    calibration_error: float = float("nan")
    interrupted: int | None = None
    mean_iou: float | None = None
    iou: Mapping[str, float] | None = None
    pixel_accuracy: float | None = None
    context: str | None = None
    mean_iou_interval: tuple[float, float] | None = None
    best_mean_iou: float | None = None
    image_size: tuple[int, int] | None = None
    auc_interval: tuple[float, float] | None = None
    kept_epoch: int | None = None

    def to_json(self) -> dict[str, object]:
        """The answer with the fields of its task.

        Returns:
            All fields, without those of a segmentation where it is none.
        """
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.task == "segmentation":
            return named
        return {name: value for name, value in named.items() if name not in _OF_MASKS}


_OF_MASKS = (
    "mean_iou", "iou", "pixel_accuracy", "context", "mean_iou_interval", "best_mean_iou", "image_size",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The answer of `check`.

    Args:
        files: Usable files.
        classes: Class names in index order.
        left_out: Files that would not be used, with the reason.
        warnings: Files that would be used although something about them is odd.
        duplicates: Groups of files that show the same picture.
        class_counts: Usable files a class.
        findings: What is noteworthy about the data.
        seconds: Wall time of the whole command.
        suspects: Files whose label looks wrong.
        masks: How pictures and masks were paired and what the masks hold, in words; empty without masks.
    """

    files: int
    classes: tuple[str, ...]
    left_out: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    duplicates: tuple[Duplicate, ...]
    class_counts: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    suspects: tuple["Suspect", ...] = ()
    masks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A file whose label looks wrong.

    Args:
        file: The file, relative to its source.
        label: The class it is given.
        looks_like: The class that a plain model which never saw it believes instead.
        belief: The probability that this model leaves for the given class.
    """

    file: str
    label: str
    looks_like: str
    belief: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the network says about one file; without a class where the file could not be read.

    Of a segmentation, `probabilities` are the classes' shares of the picture, and `mask` is the file that was written.
    """

    file: str
    class_: str | None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    mask: str | None = None

    def to_json(self) -> dict[str, object]:
        """The prediction with the field names of the interface.

        Returns:
            `file, class, probabilities, error`, and `mask` where one was written.
        """
        named: dict[str, object] = {
            "file": self.file,
            "class": self.class_,
            "probabilities": dict(self.probabilities),
            "error": self.error,
        }
        return named if self.mask is None else {**named, "mask": self.mask}


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictResult:
    """The answer of `predict`: one prediction a file, in the order asked for, and the classes it is made among.

    Args:
        predictions: One a file, or a row of an array.
        classes: Those of training.
        notes: How arrays were read, in sentences without their full stop.
    """

    predictions: tuple[Prediction, ...]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """The answer of `export`.

    Args:
        path: The first file written.
        format: What was written: `onnx`, `model-card`, `tables`, `figures`, `tensorboard`, `mlflow`, `wandb`, with
            commas between several.
        bytes: Size of all files together.
        max_difference: Largest difference of a probability from torch's; None without ONNX.
        batch_sizes: Batch sizes the ONNX file was verified at.
        files: Every file written.
        notes: What could not be written, in sentences.
        quantised: Of `--int8`: path, bytes, split, files, accuracy and images_per_second, both also of float32.
        tracked: Of `--mlflow` and `--wandb`: program, place, project, run_id, again (it was there before), counts of
            metrics, points, settings and files, and opened_with, the command or address that shows it.
    """

    path: str
    format: str
    bytes: int
    max_difference: float | None = None
    batch_sizes: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    quantised: Mapping[str, str | int | float] | None = None
    tracked: tuple[Mapping[str, str | int | bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """The answer of `report`: the run and the path of its page."""

    run: str
    report: str


def exit_status(findings: tuple[Finding, ...]) -> int:
    """Exit status that findings ask for.

    Args:
        findings: Of a verb's answer.

    Returns:
        1 when one is a warning or an error, else 0.
    """
    return int(any(finding.severity != "info" for finding in findings))
