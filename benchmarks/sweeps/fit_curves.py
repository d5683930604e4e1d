"""Fit the two small regressions of `curve_models.json`: overfitting, and full batch against mini batch.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/fit_curves.py [--runs FILE]

A run counts as overfitted when its validation loss, smoothed by medians and means of three, ends 10 % and three
standard errors or more above its lowest place and still rises in the second half of what follows, while the training
loss fell; as not overfitted when it ends within 3 % of the lowest place or training did not fall after it. In between,
and where the validation loss scatters by a fifth of its level, nothing is said. The regressions see these curves with
scatter added (0 to 6 % of the level), so that they must look through noise that the label does not have.

Full batch: every step sees all training data and there is no dropout or augmentation, which are noise of their own.
Small descents around the edge of stability and steep falls with and without scatter are made here on the spot and
added. That regression also weighs the products of its numbers: how lawful the turns are means little where a fall is so
steep that scatter cannot turn it.
"""

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from table import HERE, Run, load

from thalweg.diagnosis.noise import measure_noise
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


def noise_rows(runs: list[Run]) -> list[tuple[dict, bool, str, bool]]:
    rows = []
    for run in runs:
        full = run.setup["batch"] >= run.setup["train"]
        if full and (run.setup["dropout"] or run.setup["augment"]):
            continue
        losses = run.curves["batch_loss"]
        found = measure_noise(losses)
        if (found and np.nanstd(losses) > 1e-3 * np.nanmean(losses)) or (full and found):
            rows.append((found, full, run.problem, True))
    return rows


def descents() -> list[tuple[dict, bool, str, bool]]:
    """Small descents around the edge of stability, on all data and on batches: swings by a law, and scatter."""
    rows = []
    for number in range(240):
        rng = np.random.default_rng(number)
        count, width, inputs = int(rng.choice([60, 200, 600])), int(rng.choice([4, 16])), int(rng.choice([2, 8, 20]))
        x = rng.normal(size=(count, inputs))
        y = (np.tanh(x @ rng.normal(size=(inputs, 3))).sum(1) + 0.3 * rng.normal(size=count) > 0).astype(float)
        w, v = rng.normal(size=(inputs, width)) / np.sqrt(inputs), rng.normal(size=width) / np.sqrt(width)
        full, rate = number % 2 == 0, 10 ** rng.uniform(-1, 1.5)
        batch, losses = count if full else min(int(rng.choice([4, 16, 64, 128])), count // 2), []
        for _ in range(int(rng.choice([40, 100, 200]))):
            pick = slice(None) if full else rng.choice(count, batch, replace=False)
            hidden = np.tanh(x[pick] @ w)
            score = np.clip(hidden @ v, -500, 500)
            losses.append(float(np.mean(np.logaddexp(0, score) - y[pick] * score)))
            error = (1 / (1 + np.exp(-score)) - y[pick]) / batch
            w, v = w - rate * x[pick].T @ (error[:, None] * v * (1 - hidden**2)), v - rate * hidden.T @ error
        found = measure_noise(np.array([float(f"{loss:.5g}") for loss in losses]))
        if found:
            rows.append((found, full, f"descent {number // 8}", True))
    return rows


def falls() -> list[tuple[dict, bool, str, bool]]:
    """Exponential falls, gentle to steep, to a floor or without one; every other one with the scatter of batches."""
    rows = []
    for number in range(160):
        rng = np.random.default_rng(10_000 + number)
        steps, pace = int(rng.choice([30, 60, 200])), 10 ** rng.uniform(-3, -0.8)
        losses = 2 * np.exp(-pace * np.arange(steps)) + rng.choice([0, 0.05, 0.3])
        full, level = number % 2 == 0, 10 ** rng.uniform(-2.3, -0.5)
        if not full:
            losses *= np.exp(level * rng.standard_normal(steps))
        found = measure_noise(np.array([float(f"{loss:.4g}") for loss in losses]))
        if found:
            rows.append((found, full, f"fall {number // 8}", True))
    return rows


def fit(rows: list[tuple[dict, bool, str, bool]], *, products: bool = False) -> tuple[dict, dict]:
    """Fit one regression; score it on problems left out."""
    names = sorted(set(rows[0][0]) - {"turns"})
    x = np.array([[row[0][name] for name in names] for row in rows])
    if products:
        pairs = list(itertools.combinations_with_replacement(range(len(names)), 2))
        x = np.hstack([x, np.stack([x[:, a] * x[:, b] for a, b in pairs], axis=1)])
        names += [f"{names[a]}*{names[b]}" for a, b in pairs]
    y, problem, healthy = (np.array([row[k] for row in rows]) for k in (1, 2, 3))
    weight = np.where(y, 0.5 / max(y.mean(), 1e-9), 0.5 / max(1 - y.mean(), 1e-9)) ** 0.5

    def model() -> object:
        return make_pipeline(StandardScaler(), LogisticRegression(C=300.0 if products else 3.0, max_iter=20_000))

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
    if products:  # the curves made on the spot are harder than runs
        made = np.array([each.split()[0] if " " in each else "sweeps" for each in problem])
        score["right_by_origin"] = {each: round(float((said == y)[made == each].mean()), 4) for each in np.unique(made)}
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
    parts = overfitting_rows(runs) | {"full_batch": noise_rows(runs) + descents() + falls()}
    models, scores = {}, {}
    for name, rows in parts.items():
        models[name], scores[name] = fit(rows, products=name == "full_batch")
        print(name, json.dumps(scores[name]))
    MODEL.write_text(json.dumps(models, indent=1) + "\n")
    RESULTS.write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
