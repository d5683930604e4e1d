"""How well a best rate can be known at all: every sweep drawn twice from its own curve with its own scatter.

    python benchmarks/sweeps/ceiling.py

The truth of a problem is taken to be its accuracies smoothed over neighbouring rates, its scatter what is left of them
near the best. Two draws differ as two seeds would. What they disagree about, no diagnosis can know: where "best" is the
rate of the highest accuracy, or the middle of the rates that cannot be told from it (see `table.py`). The same for the
three verdicts on the runs that are kept watched: those of one draw, told from the whole of the other.
"""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from score import f1
from table import CLASSES, HERE, Run, load, middle_of_best, smoothed

RESULTS = HERE.parents[1] / "benchmarks/results/diagnosis-ceiling.json"
DRAWS = 60


def middle(logs: np.ndarray, accuracy: np.ndarray, chance: float) -> float:
    """As `table.py` does it for labels."""
    smooth = smoothed(accuracy)
    top = int(np.argmax(np.where(smooth > smooth.max() - 0.005, accuracy, 0)))
    return middle_of_best(logs, smooth, top, smooth.max() - chance)


def highest(logs: np.ndarray, accuracy: np.ndarray, chance: float) -> float:  # noqa: ARG001 - called like `middle`
    """The rate of the highest accuracy."""
    return float(logs[int(accuracy.argmax())])


def verdicts(logs: np.ndarray, accuracy: np.ndarray, chance: float, border: float) -> np.ndarray:
    """Too low, right or too high, a run being right whose deficit is at most the border."""
    smooth = smoothed(accuracy)
    top = int(np.argmax(np.where(smooth > smooth.max() - 0.005, accuracy, 0)))
    reference = float(np.median(np.sort(accuracy[max(0, top - 1) : top + 2])[-2:]))
    return np.where(reference - accuracy <= border * (reference - chance), 1, np.where(logs < logs[top], 0, 2))


def drawn_from(group: list[Run]) -> tuple[list[Run], np.ndarray, np.ndarray, float]:
    """A sweep by rate: its runs, logarithms of the rates, accuracies smoothed, and the scatter near the best."""
    group = sorted(group, key=lambda run: run.rate)
    logs, found = np.log10([run.rate for run in group]), np.array([run.test_accuracy for run in group])
    smooth = smoothed(found)
    near = (np.abs(logs - logs[int(smooth.argmax())]) < 1.3) & (
        smooth > smooth.max() - 0.1 * (smooth.max() - group[0].chance)
    )
    # smoothing takes a part of the scatter away
    return group, logs, smooth, float(np.sqrt(((found - smooth)[near] ** 2).mean() / 0.375))


def measure_verdicts(groups: dict[str, list[Run]]) -> dict[str, object]:
    """How often one draw of a sweep tells the verdicts of another; runs between right and wrong are not asked."""
    with gzip.open(HERE / "watched.jsonl.gz", "rt") as file:
        seen = {(row["problem"], row["rate"]) for row in map(json.loads, file)}
    rng, truth, said = np.random.default_rng(0), [], []
    for problem in sorted({problem for problem, _ in seen}):
        group, logs, smooth, scatter = drawn_from(groups[problem])
        kept = np.array([(problem, run.rate) in seen for run in group])
        for _ in range(DRAWS):
            one, two = (smooth + rng.normal(0, scatter, len(smooth)) for _ in range(2))
            right, wrong = (verdicts(logs, one, group[0].chance, border) for border in (0.03, 0.10))
            asked = kept & (right == wrong)
            truth.append(right[asked])
            said.append(verdicts(logs, two, group[0].chance, 0.06)[asked])
    label, told = np.concatenate(truth), np.concatenate(said)
    return {
        "macro_f1": round(f1(label, told), 3),
        "recall": {name: round(float((told == k)[label == k].mean()), 3) for k, name in enumerate(CLASSES)},
    }


def measure(group: list[Run], rng: np.random.Generator) -> tuple[dict[str, list[float]], float]:
    """Distances between what two draws call best, in decades; and the width of the rates within 3 % of the best."""
    group, logs, smooth, scatter = drawn_from(group)
    chance = group[0].chance
    distances = defaultdict(list)
    for _ in range(DRAWS):
        one, two = (smooth + rng.normal(0, scatter, len(smooth)) for _ in range(2))
        three = np.median([smooth + rng.normal(0, scatter, len(smooth)) for _ in range(3)], 0)
        for name, a, b in (
            ("highest, and highest again", highest(logs, one, chance), highest(logs, two, chance)),
            ("middle, and middle again", middle(logs, one, chance), middle(logs, two, chance)),
            ("middle, and highest again", middle(logs, one, chance), highest(logs, two, chance)),
            ("middle, and highest median of three", middle(logs, one, chance), highest(logs, three, chance)),
        ):
            distances[name].append(abs(a - b))
    wide = float(((smooth.max() - smooth) / (smooth.max() - chance) <= 0.03).sum() * (logs[1] - logs[0]))
    return distances, wide


def main() -> None:
    """Measure all sweeps."""
    groups = defaultdict(list)
    for run in load(HERE / "runs.jsonl.gz"):
        groups[run.problem].append(run)
    rng = np.random.default_rng(0)
    result: dict[str, object] = {}
    for space, chosen in (
        ("first space", lambda p: p < "p100"),
        ("second space", lambda p: "p100" <= p < "p300"),
        ("third space", lambda p: p >= "p300"),
    ):
        distances, widths = defaultdict(list), []
        for problem, group in groups.items():
            if chosen(problem):
                found, wide = measure(group, rng)
                widths.append(wide)
                for name, values in found.items():
                    distances[name] += values
        result[space] = {
            "problems": len(widths),
            "decades_within_3_%": [round(float(q), 2) for q in np.quantile(widths, (0.25, 0.5, 0.75))],
        } | {
            name: {f"within_{n}x": round(float((np.array(values) <= np.log10(n) + 1e-9).mean()), 3) for n in (2, 4)}
            for name, values in distances.items()
        }
    result["verdicts on watched runs, and verdicts again"] = measure_verdicts(groups)
    Path(RESULTS).write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
