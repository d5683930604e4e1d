"""NaN and Inf in the input, the loss, a gradient and a weight, at twenty steps: caught, named, never in a checkpoint.

Each case spoils one value at one step of a small training run without repairs. The run must end at that very step with
a sentence that names the place, and no file of the run may hold a value that is not finite.

    python benchmarks/reliability/non_finite.py --out benchmarks/results/reliability/non_finite.json
"""

import math
import sys
import tempfile
from pathlib import Path
from typing import Any

from outcome import Case, report
from power_loss import trainer

PLACES = ("input", "loss", "gradient", "weight")
EPOCHS, STEPS = 4, 8  # two steps an epoch


def spoil(made: Any, place: str, step: int, value: float) -> None:  # noqa: C901 - four places
    """Arrange that one value is not finite at a step, counted from 1."""
    import torch

    if place == "input":
        kept = made.train.batch

        def batch(indices: Any, epoch: int, number: int, side: int | None = None) -> Any:
            found = kept(indices, epoch, number, side)
            if 2 * (epoch - 1) + number + 1 == step:
                found.pixels[0, 0, 0, 0] = value
            return found

        made.train.batch = batch
    elif place == "loss":
        kept_objective = made.backward.objective

        def objective(logits: Any, labels: Any) -> Any:
            loss = kept_objective(logits, labels)
            return loss * value if made.state.step + 1 == step else loss

        made.backward.objective = objective
    elif place == "gradient":
        weight = next(made.module.parameters())

        def hook(gradient: torch.Tensor) -> torch.Tensor:
            if made.state.step + 1 != step:
                return gradient
            gradient = gradient.clone()
            gradient.view(-1)[0] = value
            return gradient

        weight.register_hook(hook)
    else:
        seen = made.observer

        def observer(progress: Any) -> None:
            seen(progress)
            if made.state.step + 1 == step and progress.row is None:
                next(made.module.parameters()).data.view(-1)[3] = value

        made.observer = observer


def try_one(place: str, step: int, value: float) -> Case:
    """Spoil one run; say what it said."""
    from safetensors.torch import load_file

    from thalweg.core.errors import TrainingFailedError
    from thalweg.training import loop

    loop.CHECKPOINT_SECONDS = -1.0
    try:
        with tempfile.TemporaryDirectory() as name:
            made = trainer(Path(name), EPOCHS)
            spoil(made, place, step, value)
            try:
                made.fit()
                said = ""
            except TrainingFailedError as error:
                said = str(error)
            done = made.state.step + 1
            clean = all(
                bool(tensor.isfinite().all())
                for path in Path(name).glob("*.safetensors")
                for tensor in load_file(path).values()
            )
    finally:
        loop.CHECKPOINT_SECONDS = 20.0
    held = said.startswith(f"the {'training loss' if place == 'loss' else place}") and done == step and clean
    return {
        "place": place,
        "step": step,
        "value": str(value),
        "said": said,
        "at_step": done,
        "clean": clean,
        "held": held,
    }


def work(quick: bool) -> dict[str, object]:
    """Go through places, steps and values."""
    details = []
    for number, place in enumerate(PLACES):
        for turn in range(1 if quick else 5):
            step = 2 + (3 * turn + number) % (STEPS - 2)  # a weight is spoilt after the step before
            step += place == "weight" and step % 2 == 1  # and not just before a validation, which would catch it first
            details.append(try_one(place, step, (math.nan, math.inf, -math.inf)[(turn + number) % 3]))
    return {"row": 10, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
