"""Fit the small regressions of `curve_models.json`: overfitting, by losses or accuracies, with training or alone.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/fit_curves.py [--runs FILE]

A run counts as overfitted when its validation loss, smoothed by medians and means of three, ends 10 % and three
standard errors or more above its lowest place and still rises in the second half of what follows, while the training
loss fell; as not overfitted when it ends within 3 % of the lowest place or training did not fall after it. In between,
and where the validation loss scatters by a fifth of its level, nothing is said. The regressions see these curves with
scatter added (0 to 6 % of the level), so that they must look through noise that the label does not have.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from table import HERE, Run, load

from thalweg.diagnosis.overfitting import measure_rise

ROOT = HERE.parents[1]
MODEL = ROOT / "src/thalweg/diagnosis/curve_models.json"
RESULTS = ROOT / "benchmarks/results/diagnosis-curves.json"


def overfits(run: Run) -> bool | None:
    """Label a run by the definition above."""
    val, train = run.curves["val_loss"], run.curves["train_loss"]
    if not np.isfinite(val).all() or not np.isfinite(train).all() or len(val) < 8:
        return None
    middle = np.median(np.stack([val[:-2], val[1:-1], val[2:]]), axis=0)
    middle = np.concatenate([[val[0]], middle, [np.median(val[-3:])]])
    smooth = np.convolve(np.pad(middle, 1, mode="edge"), np.ones(3) / 3, "valid")
    best, last = int(smooth.argmin()), max(3, len(val) // 5)
    scatter = np.sqrt(np.mean(np.diff(val[best // 2 :], 2) ** 2) / 6) if best // 2 < len(val) - 4 else 0.0
    if scatter > 0.2 * smooth[-last:].mean():
        return None  # irregular: another finding
    end, low = smooth[-last:].mean(), smooth[best]
    if end <= 1.03 * low:
        return False
    if train[-last:].mean() >= 0.99 * train[max(0, best - 1) : best + 2].mean():
        return False
    rising = smooth[-1] > smooth[(best + len(val)) // 2]
    clear = end - low > 3 * scatter / np.sqrt(last)
    return True if end >= 1.1 * low and best < 0.85 * len(val) and clear and rising else None


def overfitting_rows(runs: list[Run]) -> dict[str, list[tuple[dict, bool, str, bool]]]:
    rows: dict[str, list[tuple[dict, bool, str, bool]]] = {}
    for number, run in enumerate(runs):
        label = overfits(run)
        if label is None:
            continue
        rng = np.random.default_rng(number)
        for source in ("", "eval_"):
            seen = {name: run.curves[name] for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy")}
            if source:
                seen |= {"train_loss": run.curves["eval_loss"], "train_accuracy": run.curves["eval_accuracy"]}
            scatter = rng.choice([0, 0, 0.01, 0.02, 0.03, 0.06])
            seen["val_loss"] = seen["val_loss"] * (1 + scatter * rng.normal(0, 1, len(seen["val_loss"])))
            for names in (
                ("train_loss", "val_loss"),
                ("val_loss",),
                ("train_accuracy", "val_accuracy"),
                ("val_accuracy",),
            ):
                kind, found, _ = measure_rise({name: seen[name] for name in names})
                if kind:
                    rows.setdefault(kind, []).append((found, label, run.problem, run.label == 1))
    return rows


def fit(rows: list[tuple[dict, bool, str, bool]]) -> tuple[dict, dict]:
    """Fit one regression; score it on problems left out."""
    names = sorted(rows[0][0])
    x = np.array([[row[0][name] for name in names] for row in rows])
    y, problem, healthy = (np.array([row[k] for row in rows]) for k in (1, 2, 3))
    weight = np.where(y, 0.5 / max(y.mean(), 1e-9), 0.5 / max(1 - y.mean(), 1e-9)) ** 0.5

    def model() -> object:
        return make_pipeline(StandardScaler(), LogisticRegression(C=3.0, max_iter=20_000))

    chances = np.zeros(len(y))
    for group in np.array_split(np.unique(problem), 10):
        out = np.isin(problem, group)
        chances[out] = (
            model().fit(x[~out], y[~out], logisticregression__sample_weight=weight[~out]).predict_proba(x[out])[:, 1]
        )
    said = chances >= 0.5
    hit = (said & y).sum()
    score = {
        "n": len(y), "positive": int(y.sum()), "f1": round(float(2 * hit / (said.sum() + y.sum())), 3),
        "right": round(float((said == y).mean()), 4), "recall": round(float(hit / y.sum()), 3),
        "false_alarms": round(float(said[~y].mean()), 4),
        "false_alarms_on_about_right": round(float(said[~y & healthy].mean()), 4),
        "reliability": [[round(float(chances[m].mean()), 3), round(float(y[m].mean()), 3), int(m.sum())]
                        for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.01))
                        if (m := (chances >= low) & (chances < high)).any()],
    }  # fmt: skip
    whole = model().fit(x, y, logisticregression__sample_weight=weight)
    scale, weights = whole[0], whole[1].coef_[0] / whole[0].scale_
    intercept = float(whole[1].intercept_[0] - (weights * scale.mean_).sum())
    entry = {
        "weights": {n: float(f"{w:.6g}") for n, w in zip(names, weights, strict=True)},
        "intercept": float(f"{intercept:.5g}"),
    }
    return entry, score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=HERE / "runs.jsonl.gz")
    args = parser.parse_args()
    runs = load(args.runs)
    parts = overfitting_rows(runs)
    models, scores = {}, {}
    for name, rows in parts.items():
        models[name], scores[name] = fit(rows)
        print(name, json.dumps(scores[name]))
    MODEL.write_text(json.dumps(models, indent=1) + "\n")
    RESULTS.write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
