"""The trainings of `lab batch-size`: full batch, mini batch or single example, with the noise of their gradient."""

from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.experiments.batch_noise import noise_scale
from thalweg.experiments.data import LabData
from thalweg.experiments.fit import Fit, fit
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.optimizers import OptimizerChoice

__all__ = ["KINDS", "MINI", "SINGLES", "Bench", "Case", "Done", "Size", "train"]

KINDS = ("full batch", "mini batch", "single example")
MINI = 32
LOOKS = 24
SINGLES = 96
"""Single gradients that the noise scale is measured from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done.

    Args:
        side: Of the pictures, in pixels.
        samples: Trained on.
        steps: Updates of each kind.
        seeds: Seeds.
        curves: Curves to be told apart blind.
    """

    side: int
    samples: int
    steps: Mapping[str, int]
    seeds: int
    curves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A training: its kind, rate, seed, and the share of its steps that is made (less to choose a rate)."""

    kind: str
    rate: float
    seed: int
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of it.

    Args:
        case: Which one.
        course: Step, passes, seconds and training loss at every look.
        losses: Of every step.
        noises: Noise scale of the gradient at the start, after a quarter, and at the end; empty unless measured.
        accuracy: On held-out samples.
    """

    case: Case
    course: tuple[tuple[float, float, float, float], ...]
    losses: tuple[float, ...]
    noises: tuple[float, ...]
    accuracy: float

    @property
    def ended(self) -> float:
        """Training loss at the end."""
        return self.course[-1][-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all trainings share."""

    data: LabData
    size: Size


def train(bench: Bench, case: Case) -> Done:
    """Train once.

    Args:
        bench: What all share.
        case: Which training.

    Returns:
        Its course.
    """
    data, whole = bench.data, case.share == 1.0
    batch = {"full batch": len(data.train), "mini batch": MINI, "single example": 1}[case.kind]
    steps = max(4, round(case.share * bench.size.steps[case.kind]))
    noises: list[float] = []
    places = {1, steps // 4, steps} if whole and case.kind == "mini batch" else set()

    def look(step: int, module: object) -> None:
        if step in places:
            noises.append(noise_scale(module, data.train, samples=SINGLES, seed=case.seed))  # type: ignore[arg-type]

    done: Fit = fit(
        lab_network(data.shape, len(data.classes)),
        data,
        OptimizerChoice(name="SGD", rate=case.rate),
        steps=steps,
        batch_size=batch,
        seed=case.seed,
        looks=LOOKS if whole else 1,
        after_step=look,
    )
    return Done(
        case=case,
        course=tuple((each.step, each.epoch, each.seconds, each.train_loss) for each in done.looks),
        losses=done.losses,
        noises=tuple(noises),
        accuracy=done.last.test_accuracy,
    )
