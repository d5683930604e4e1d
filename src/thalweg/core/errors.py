"""Every error thalweg raises on purpose, drawn once.

    ThalwegError                  exit status 2
    |-- SourceError               a folder, archive or link that cannot be used
    |-- PictureError              one file that is no usable picture
    |-- PlanError                 options that contradict each other or reality
    |-- SpecError                 a network that is not well formed
    |   |-- ShapeError            two layers, or a layer and its input, do not fit
    |   `-- UncountedLayerError   a layer kind nobody can count
    |-- LogError                  a training log that cannot be read
    |-- RunError                  a run folder that is missing, damaged or unfinished
    |-- WeightsError              published weights that cannot be had, read or fitted
    |-- MissingExtraError         an optional package that is not installed
    `-- TrainingFailedError       exit status 1: the run itself went wrong
        `-- RanksPartedError      ranks that train together lost each other

A message is one sentence with the place, the number and the way out; the command line prints it as one line.
"""

__all__ = [
    "LogError",
    "MissingExtraError",
    "PictureError",
    "PlanError",
    "RanksPartedError",
    "RunError",
    "ShapeError",
    "SourceError",
    "SpecError",
    "ThalwegError",
    "TrainingFailedError",
    "UncountedLayerError",
    "WeightsError",
]


class ThalwegError(Exception):
    """Something the user can understand and mend; the root of the hierarchy."""

    exit_status = 2


class SourceError(ThalwegError):
    """A folder, archive or link that cannot be used as a source of data."""


class PictureError(ThalwegError):
    """One file that cannot be used as a picture; the run goes on without it."""


class PlanError(ThalwegError):
    """Options that contradict each other, or that no run could follow."""


class SpecError(ThalwegError):
    """A network description that is not well formed."""


class ShapeError(SpecError):
    """Two layers, or a layer and its input, whose shapes do not fit."""


class UncountedLayerError(SpecError):
    """A layer kind without a counting rule; it must never count as zero."""


class LogError(ThalwegError):
    """A training log, of this program or another, that cannot be read."""


class RunError(ThalwegError):
    """A run folder that is missing, damaged or not finished."""


class WeightsError(ThalwegError):
    """Weights of a pretrained network that cannot be had, or that are not what they should be."""


class MissingExtraError(ThalwegError):
    """An optional package that is not installed.

    Args:
        package: The name that failed to import.
        extra: The extra of thalweg that brings it.
        purpose: What it is needed for, as the end of a sentence.

    Example:
        >>> print(MissingExtraError("gdown", "drive", "to read Google Drive links"))
        gdown is needed to read Google Drive links: pip install 'thalweg[drive]'
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{package} is needed {purpose}: pip install 'thalweg[{extra}]'")
        self.package = package
        self.extra = extra


class TrainingFailedError(ThalwegError):
    """The run went wrong in a way that more of the same cannot mend."""

    exit_status = 1


class RanksPartedError(TrainingFailedError):
    """A rank is gone, or does not answer: what was saved is whole, and the run can go on from there."""
