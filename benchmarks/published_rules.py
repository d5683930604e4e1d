"""What published tools say of the same curves: their rules from their texts, as far as recorded curves can answer them.

    python benchmarks/published_rules.py [--runs FILE]

Learning rates are hidden, so rules that only look at the rate itself (DeepDiagnosis, UMLAUT) cannot fire. Where a text
names a symptom but not whether the rate is too low or too high, both readings are scored and the better one is printed.
Writes the scores into benchmarks/results/diagnosis-published-rules.json.

AutoTrainer (Zhang et al. 2021): oscillating when the accuracy swings by 0.03 or more in a fifth of the epochs or more;
slow when no step gains 0.01 and the best is below 0.6; NaN is exploding. DeepDiagnosis (Wardat et al. 2022): NaN or a
loss that does not decrease. UMLAUT (Schoop et al. 2021): overfitting when validation rises while training falls in any
epoch. SageMaker Debugger: loss not decreasing over ten steps (by 0.1 %); overfit when (validation - training) /
training is above 0.1.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "sweeps"))

from fit_curves import overfits  # noqa: E402 - lies beside
from score import f1  # noqa: E402
from table import FOUR, Run, load  # noqa: E402

LOW, RIGHT, HIGH = 0, 1, 2
Curves = dict[str, np.ndarray]
Rule = Callable[[Curves], int]


def broken(curves: Curves) -> bool:
    return any(not np.isfinite(values).all() for values in curves.values())


def nan_only(curves: Curves) -> int:
    return HIGH if broken(curves) else RIGHT


def auto_trainer(curves: Curves) -> int:
    if broken(curves):
        return HIGH
    accuracy = curves["train_accuracy"]
    steps = np.diff(accuracy)
    if len(steps) and (steps <= -0.03).mean() >= 0.2:
        return HIGH
    late = len(accuracy) >= 2 and (len(steps) == 0 or steps.max() < 0.01) and accuracy.max() < 0.6
    return LOW if late else RIGHT


def not_decreasing(curves: Curves, window: int, share: float) -> bool:
    loss = curves["train_loss"]
    window = min(window, len(loss) - 1)
    return window > 0 and bool((loss[window:] >= (1 - share) * loss[:-window]).any())


def deep_diagnosis(meaning: int) -> Rule:
    def rule(curves: Curves) -> int:
        return (
            HIGH if broken(curves) else meaning if not_decreasing(curves, len(curves["train_loss"]) - 1, 0.0) else RIGHT
        )

    return rule


def sage_maker(meaning: int) -> Rule:
    def rule(curves: Curves) -> int:
        return HIGH if broken(curves) else meaning if not_decreasing(curves, 10, 0.001) else RIGHT

    return rule


def umlaut_overfits(curves: Curves) -> bool:
    return bool(((np.diff(curves["val_loss"]) > 0) & (np.diff(curves["train_loss"]) < 0)).any())


def sage_maker_overfits(curves: Curves) -> bool:
    train, val = curves["train_loss"][-1], curves["val_loss"][-1]
    return bool(np.isfinite([train, val]).all() and (val - train) / max(abs(train), 1e-9) > 0.1)


def scored(runs: list[Run], rule: Rule) -> dict[str, object]:
    known = [run for run in runs if run.label >= 0]
    truth = np.array([run.label for run in known])
    said = np.array([rule({name: run.curves[name] for name in FOUR}) for run in known])
    recall = {
        name: round(float((said[truth == k] == k).mean()), 3)
        for k, name in enumerate(("too_low", "about_right", "too_high"))
    }
    return {"macro_f1": round(f1(truth, said), 3), "recall": recall,
            "false_alarms_on_about_right": round(float((said[truth == RIGHT] != RIGHT).mean()), 3)}  # fmt: skip


def overfitting(runs: list[Run], rule: Callable[[Curves], bool]) -> dict[str, object]:
    known = [(run, label) for run in runs if (label := overfits(run)) is not None]
    truth = np.array([label for _, label in known])
    said = np.array([rule({name: run.curves[name] for name in FOUR}) for run, _ in known])
    hit = (truth & said).sum()
    return {"overfitting_f1": round(float(2 * hit / max(truth.sum() + said.sum(), 1)), 3),
            "overfitting_false_alarms": round(float(said[~truth].mean()), 3), "n": len(truth)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=HERE / "sweeps" / "runs.jsonl.gz")
    args = parser.parse_args()
    runs = load(args.runs)
    rules: dict[str, list[Rule]] = {
        "NaN only": [nan_only],
        "AutoTrainer, curve rules": [auto_trainer],
        "DeepDiagnosis, curve rules": [deep_diagnosis(LOW), deep_diagnosis(HIGH)],
        "SageMaker Debugger": [sage_maker(LOW), sage_maker(HIGH)],
        "UMLAUT": [nan_only],
    }
    found = {
        name: max((scored(runs, rule) for rule in ways), key=lambda s: s["macro_f1"]) for name, ways in rules.items()
    }
    found["UMLAUT"] |= overfitting(runs, umlaut_overfits)
    found["SageMaker Debugger"] |= overfitting(runs, sage_maker_overfits)
    for name, score in found.items():
        print(f"{name:28} {json.dumps(score)}")
    (HERE / "results" / "diagnosis-published-rules.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
