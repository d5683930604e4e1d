"""Fit what `thalweg diagnose` knows of learning rates, and measure it on problems that were left out.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/fit.py [--runs FILE] [--quick]

Writes src/thalweg/diagnosis/learning_rate_model.json and benchmarks/results/diagnosis-learning-rate.json. Whole
problems are left out in turn, then whole families of data; the shipped model is fitted on everything afterwards.
"""

import argparse
import hashlib
import inspect
import json
import tempfile
from pathlib import Path

import numpy as np
from score import FAR, STANDARD, factor_score, per_problem, reliability, verdict_score
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from table import CLASSES, HERE, load, table

ROOT = HERE.parents[1]
MODEL = ROOT / "src/thalweg/diagnosis/learning_rate_model.json"
RESULTS = ROOT / "benchmarks/results/diagnosis-learning-rate.json"
CLIP = 2.0
"""Decades beyond which factors are not told apart."""
NEAR = 1.5
"""Decades within which a factor is asked for: 30x. Runs farther off look alike, and would pull answers outward."""
COMPLETE = ("full", "full_eval", "full_batches")
"""Views of whole runs with all their signals."""
COMMON = {"learning_rate": 0.08, "min_samples_leaf": 25, "l2_regularization": 5.0, "max_bins": 48, "max_features": 0.25,
          "early_stopping": False, "random_state": 0}  # fmt: skip


class Several:
    """The mean of models that draw their features differently."""

    def __init__(self, models: list[HistGradientBoostingRegressor]) -> None:
        self.models = models

    def fit(self, x: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> "Several":
        """Fit each."""
        for model in self.models:
            model.fit(x, y, sample_weight=sample_weight)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Their mean."""
        return np.mean([model.predict(x) for model in self.models], 0)


def verdict_model() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_depth=3, max_iter=110, **COMMON)


def factor_models() -> dict[str, HistGradientBoostingRegressor | Several]:
    return {
        "low": HistGradientBoostingRegressor(loss="quantile", quantile=0.06, max_depth=3, max_iter=90, **COMMON),
        "middle": Several([
            HistGradientBoostingRegressor(
                loss="absolute_error", max_depth=4, max_iter=90, **COMMON | {"max_features": 0.1, "random_state": seed}
            )
            for seed in range(3)
        ]),
        "high": HistGradientBoostingRegressor(loss="quantile", quantile=0.94, max_depth=3, max_iter=90, **COMMON),
    }


class Data:
    """The table as arrays."""

    def __init__(self, rows: list[dict]) -> None:
        self.names = sorted({name for row in rows for name in row["features"]})
        self.x = np.array([[row["features"].get(name, np.nan) for name in self.names] for row in rows])
        self.label = np.array([row["label"] for row in rows])
        self.log_factor = np.array([row["log_factor"] for row in rows])
        self.log_of_top = np.array([row.get("log_of_top", row["log_factor"]) for row in rows])
        self.view, self.problem, self.family, self.schedule = (
            np.array([row.get(key, "") for row in rows]) for key in ("view", "problem", "family", "schedule")
        )
        self.kind = np.array([0.4 if row["kind"] == "linear" else 1.0 for row in rows])
        self.weight = self._weights() * self.kind

    def _weights(self) -> np.ndarray:
        """Every problem counts alike, and in it every verdict; near the best rate runs count more than far off.

        Linear models count less: scaling their weights changes no answer, so that hardly any rate is too high.
        """
        weight = np.zeros(len(self.label))
        for problem in np.unique(self.problem):
            for label in range(3):
                rows = (self.problem == problem) & (self.label == label)
                if rows.any():
                    near = np.where(np.abs(self.log_factor[rows]) < 2.2, 1.0, 0.5)
                    weight[rows] = near / near.sum()
        return weight / weight[weight > 0].mean()


def left_out(
    data: Data, groups: np.ndarray, parts: int, *, factors: bool, only: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every row from models that never saw its group: raw scores of verdicts, and three log factors.

    What was predicted is kept among the temporary files, by the numbers fitted on and the text of this file, so that
    parts can be computed one by one (`only`).
    """
    raw, logs = np.zeros((len(data.label), 3)), np.full((len(data.label), 3), np.nan)
    names = np.unique(groups)
    np.random.default_rng(0).shuffle(names)
    key = hashlib.sha256(np.nan_to_num(data.x).tobytes() + data.log_factor.tobytes() + data.weight.tobytes())
    work = (verdict_model, factor_models, fit_verdict, fit_factor, Several)
    key.update("".join((*map(inspect.getsource, work), str(COMMON), str(parts), *names)).encode())
    folder = Path(tempfile.gettempdir()) / "thalweg-sweeps"
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(np.array_split(names, min(parts, len(names)))):
        if only not in {None, number}:
            continue
        out = np.isin(groups, part)
        kept = folder / f"fold-{key.hexdigest()[:16]}-{factors}-{number}.npz"
        if not kept.exists():
            scores = fit_verdict(data, ~out).decision_function(data.x[out])
            factor = np.full((int(out.sum()), 3), np.nan)
            if factors:
                factor = np.stack([each.predict(data.x[out]) for each in fit_factor(data, ~out).values()], 1)
            np.savez(kept, raw=scores, logs=factor)
        with np.load(kept) as found:
            raw[out], logs[out] = found["raw"], found["logs"]
    return raw, logs


def fit_verdict(data: Data, keep: np.ndarray) -> HistGradientBoostingClassifier:
    rows = keep & (data.label >= 0)
    return verdict_model().fit(data.x[rows], data.label[rows], sample_weight=data.weight[rows])


def fit_factor(data: Data, keep: np.ndarray) -> dict[str, HistGradientBoostingRegressor | Several]:
    target = np.clip(data.log_factor, -CLIP, CLIP)
    weight = np.where(np.abs(data.log_factor) < NEAR, 1.0, 0.3)
    complete, part = np.isin(data.view, COMPLETE), np.char.startswith(data.view, "full") | (data.view == "odd_loss")
    # whole courses tell most of a factor; with some signals missing they teach what to do then, prefixes nothing
    whole = np.where(complete, 1.0, np.where(part, 0.15, 0.0)) if complete.any() else np.ones(len(weight))
    models = factor_models()
    for name, model in models.items():
        middle = name == "middle"
        rows = keep & ((np.abs(data.log_factor) < NEAR) & (whole > 0) if middle else np.abs(data.log_factor) < 2 * NEAR)
        model.fit(data.x[rows], target[rows], sample_weight=(whole if middle else weight)[rows] * data.kind[rows])
    return models


def calibrate(raw: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[float, list[float]]:
    """Find the sharpness and the shifts that make probabilities frequencies (least log loss)."""
    from scipy.optimize import minimize

    def loss(p: np.ndarray) -> float:
        scores = p[0] * raw + np.array([p[1], 0.0, p[2]])
        scores -= scores.max(1, keepdims=True)
        chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        return float(-(weight * np.log(chances[np.arange(len(label)), label] + 1e-9)).mean())

    best = minimize(loss, np.array([0.7, 0.0, 0.0]), method="Nelder-Mead").x
    return float(f"{best[0]:.4g}"), [float(f"{best[1]:.4g}"), 0.0, float(f"{best[2]:.4g}")]


def chances_of(raw: np.ndarray, sharpness: float, shift: list[float]) -> np.ndarray:
    scores = sharpness * raw + np.array(shift)
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def widths(logs: np.ndarray, target: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """By how much to widen both ends so that, on problems left out, the interval holds as often as it says."""
    side = (1 - level) / 2
    low = np.quantile(np.minimum(logs[:, 0], logs[:, 1]) - target, 1 - side)
    high = np.quantile(target - np.maximum(logs[:, 2], logs[:, 1]), 1 - side)
    return float(f"{low:.3g}"), float(f"{high:.3g}")


def trees_of(model: object, k: int = 0, share: float = 1.0) -> dict:
    """Write the trees of one sum, or of a mean of sums, as plain lists."""
    if isinstance(model, Several):
        parts = [trees_of(each, share=1 / len(model.models)) for each in model.models]
        start = float(np.mean([part["start"] for part in parts]))
        return {"start": float(f"{start:.4g}"), "trees": [tree for part in parts for tree in part["trees"]]}
    start = float(np.ravel(model._baseline_prediction)[k])  # noqa: SLF001 - scikit-learn has no public way
    rate = model.learning_rate
    trees = []
    for stage in model._predictors:  # noqa: SLF001 - the same
        nodes = stage[k].nodes
        tree = []
        for node in nodes:
            value = float(f"{share * node['value'] * (1 if node['is_leaf'] else rate):.3g}")
            tree.append([value] if node["is_leaf"] else [
                value, int(node["feature_idx"]), float(f"{node['num_threshold']:.5g}"),
                int(node["missing_go_to_left"]), int(node["left"]), int(node["right"])])  # fmt: skip
        trees.append(tree)
    return {"start": float(f"{start:.4g}"), "trees": trees}


def ship(
    path: Path, measured: str, script: str, data: Data, right: np.ndarray, verdict: object, factors: dict,
    sharpness: float, shift: list[float], below: float, widen: tuple[float, float],
    beside: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """Write a model that the package reads; `right` are the runs whose numbers are called healthy.

    `beside` names a number of which a share is added to what the trees tell of the factor.
    """
    healthy = {}
    for k, name in enumerate(data.names):
        column = data.x[right, k][np.isfinite(data.x[right, k])]
        if len(column) > 20 and not name.startswith("kind_"):
            healthy[name] = [float(f"{q:.3g}") for q in np.quantile(column, [0.1, 0.9])]
    shipped = {
        "about": f"Sums of small trees over the features of {measured}; see docs/decisions and {script}, which wrote "
        "this file. A node is [value] or [value, feature, threshold, missing goes left, left node, right node]; "
        "factors are decimal logarithms.",
        "features": data.names, "healthy": healthy,
        "verdict": {"sharpness": sharpness, "shift": shift, "undetermined_below": below}
        | {name: trees_of(verdict, k) for k, name in enumerate(CLASSES)},
        "factor": {"widen": widen}
        | ({"beside": beside} if beside else {})
        | {name: trees_of(model) for name, model in factors.items()},
    }  # fmt: skip
    text = json.dumps(shipped, separators=(",", ":"))
    for mark in (
        '"features"',
        '"healthy"',
        '"verdict"',
        '"factor"',
        '"about_right":{',
        '"too_high":{',
        '"low":',
        '"middle":',
        '"high":',
    ):
        text = text.replace(mark, "\n" + mark)
    path.write_text(text.replace("]],[[", "]],\n[[") + "\n")
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


def warnings(chances: np.ndarray, data: Data) -> dict:
    """From which certainty on a verdict may be a warning: how many healthy runs are warned, how many others are."""
    found = {}
    for level in (0.8, 0.85, 0.9, 0.95):
        said = np.where(chances.max(1) >= level, chances.argmax(1), 1)
        for view in ("full", "full_batches", "quarter"):
            here = data.view == view
            right = here & (data.label == 1)
            told = {"good_rates": right, "good_rates_with_schedules": right & (data.schedule != "constant")}
            told = {name: round(float((said[rows] != 1).mean()), 4) for name, rows in told.items()}
            for k in (0, 2):
                told[CLASSES[k]] = round(float((said[here & (data.label == k)] == k).mean()), 3)
            found[f"warned from {level}, {view}"] = told
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=HERE / "runs.jsonl.gz")
    parser.add_argument("--quick", action="store_true", help="fit and ship only; constants as in the model there is")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fold", type=int, help="compute the predictions of this fold alone and keep them")
    parser.add_argument("--families", action="store_true", help="with --fold: of the families left out")
    args = parser.parse_args()
    runs = load(args.runs)
    data = Data(table(runs))
    everything = np.ones(len(data.label), dtype=bool)
    standard = np.isin(data.view, STANDARD)
    if args.fold is not None:
        groups = data.family if args.families else data.problem
        left_out(data, groups, args.folds, factors=not args.families, only=args.fold)
        return
    if args.quick:
        old = json.loads(MODEL.read_text()) if MODEL.exists() else None
        sharpness, shift = (old["verdict"]["sharpness"], old["verdict"]["shift"]) if old else (0.7, [0, 0, 0])
        below, widen = (old["verdict"]["undetermined_below"], old["factor"]["widen"]) if old else (0.45, [0.15, 0.15])
    else:
        raw, logs = left_out(data, data.problem, args.folds, factors=True)
        known = standard & (data.label >= 0)
        sharpness, shift = calibrate(raw[known], data.label[known], np.ones(known.sum()))
        chances = chances_of(raw, sharpness, shift)
        near = np.isin(data.view, ("full", "full_batches")) & (np.abs(data.log_factor) < FAR)  # others hold oftener
        widen = widths(logs[near], data.log_factor[near])
        below = float(f"{max(0.4, np.quantile(chances[known].max(1), 0.04)):.3g}")
        result = {"problems": len(np.unique(data.problem)), "runs": int((data.view == "full").sum()),
                  "families": sorted(set(data.family.tolist())), "undetermined_below": below}  # fmt: skip
        result["left_out_problems"] = {
            view: verdict_score(chances, data, data.view == view, below)
            | factor_score(logs, chances, data, data.view == view, widen)
            for view in STANDARD
        }
        result["left_out_problems_by_space"] = {
            name: verdict_score(chances, data, (data.view == "full") & rows, below)
            | factor_score(logs, chances, data, (data.view == "full") & rows, widen)
            for name, rows in (
                ("first", data.problem < "p100"),
                ("second", (data.problem >= "p100") & (data.problem < "p300")),
                ("third", data.problem >= "p300"),
            )
        }
        result["warnings"] = warnings(chances, data)
        result["reliability"] = reliability(chances, data.label, known)
        result["confusion_per_problem"] = per_problem(chances, data, data.view == "full")
        print(json.dumps({k: v for k, v in result.items() if k != "confusion_per_problem"}, indent=1), flush=True)
        raw, _ = left_out(data, data.family, 5, factors=False)
        chances = chances_of(raw, sharpness, shift)
        result["left_out_families"] = {
            view: verdict_score(chances, data, data.view == view, below) for view in STANDARD
        }
        print(json.dumps(result["left_out_families"], indent=1))
        other = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps(other | result, indent=1) + "\n")
    verdict, factors = fit_verdict(data, everything), fit_factor(data, everything)
    right = (data.label == 1) & (data.view == "full_batches")
    ship(MODEL, "thalweg.diagnosis.features", "benchmarks/sweeps/fit.py", data, right,
         verdict, factors, sharpness, shift, below, widen)  # fmt: skip


if __name__ == "__main__":
    main()
