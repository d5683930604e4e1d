"""Which head fits frozen features best: plain labels or smoothed, which weight decay, and what `fit_head` takes.

    python benchmarks/fitted_head.py --data DATA --out benchmarks/results/fitted-head.json [--seeds 1 2 3]

DATA is a folder with `cifar10/` and `chest-xray/`; `elpv` comes with the extra `demo`, the weights with `backbones`.
Features are EfficientNet-Lite0's at 96 pixels, of some 1,000 training pictures and 450 to 1,500 held-out ones.
Told are accuracy, area under the ROC curve and loss (nats) on the held-out ones: at each weight decay with and without
label smoothing of 0.1; of `training.features.fit_head`; and of what it was before decision 0051 (smoothed; the best of
1e-4 to 1e-1 on a quarter of the training pictures). Rounds are kept: the same command goes on.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kept_rounds import area, cifar_folders, go_on, train

SPLITS = {"elpv": "46/54", "xray": "70/30", "cifar": "40/60"}
DECAYS = (1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
BEFORE = (1e-4, 1e-3, 1e-2, 1e-1)
SMOOTHED = 0.1


def main() -> None:
    torch.set_num_threads(1)
    go_on("fitted_head", __doc__ or "", SPLITS, [1, 2, 3], round_of, summary)


def round_of(case: str, seed: int, data: Path) -> dict[str, Any]:
    """Fit all heads to one split's features."""
    from thalweg.training.features import fit_head, scaling_of

    views, labels, held, truth, weights, outputs = features(case, seed, data)
    scaling = scaling_of(views)
    views, held = (views - scaling.mean) / scaling.deviation, (held - scaling.mean) / scaling.deviation

    def told(weight: torch.Tensor, bias: torch.Tensor) -> dict[str, float]:
        return scores(held @ weight.T + bias, truth)

    row: dict[str, Any] = {"case": case, "training": len(labels), "held": len(truth)}
    for smoothing in (0.0, SMOOTHED):
        row[f"smoothing {smoothing:g}"] = {
            f"{decay:g}": told(*fitted(views[0], labels, outputs, decay, weights, smoothing)) for decay in DECAYS
        }
    weight, bias, decay = fit_head(views, labels, outputs, weights=weights, seed=seed)
    row["fit_head"] = told(weight, bias) | {"decay": decay}
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(labels)))
    apart, kept = order[: len(labels) // 4], order[len(labels) // 4 :]
    losses = {}
    for decay in BEFORE:
        weight, bias = fitted(views[0, kept], labels[kept], outputs, decay, weights, SMOOTHED)
        losses[decay] = scores(views[0, apart] @ weight.T + bias, labels[apart].numpy())["loss"]
    decay = min(losses, key=losses.__getitem__)
    row["before"] = told(*fitted(views[0], labels, outputs, decay, weights, SMOOTHED)) | {"decay": decay}
    return row


def features(case: str, seed: int, data: Path) -> tuple[Any, ...]:
    """Those that `thalweg train --backbone` fits its first head to, and those of the held-out pictures."""
    from thalweg.workbench.starting import transfer_start

    found: list[torch.Tensor] = []
    seen: dict[str, Any] = {}
    compute = transfer_start.features_of

    def computed(module: Any, head: str, batches: Any, device: Any, **options: Any) -> torch.Tensor:
        found.append(compute(module, head, batches, device, **options))
        seen.setdefault("labels", torch.from_numpy(batches.labels))
        seen["truth"] = batches.labels
        return found[-1]

    def stop(_: Any, __: Any, outputs: int, *, weights: Any = None, **___: Any) -> None:
        seen.update(weights=weights, outputs=outputs)
        raise KeyboardInterrupt  # the rest of the training is not wanted

    fit = transfer_start.fit_head
    transfer_start.features_of, transfer_start.fit_head = computed, stop  # type: ignore[assignment]
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(SystemExit):
            place = source_of(case, data, Path(folder))
            words = [place, "--backbone", "efficientnet-lite0", "--image-size", "96", "--epochs", "1"]
            train([*words, "--split", SPLITS[case], "--seed", str(seed)], folder)
    finally:
        transfer_start.features_of, transfer_start.fit_head = compute, fit
    return found[0][None], seen["labels"], found[1], seen["truth"], seen["weights"], seen["outputs"]


def source_of(case: str, data: Path, folder: Path) -> str:
    """What is split into training and held-out pictures."""
    if case == "elpv":
        return "elpv"
    if case == "xray":
        return str(data / "chest-xray" / "train")
    return str(cifar_folders(data, folder / "cifar", {"all": 2500}) / "all")


def fitted(
    values: torch.Tensor,
    labels: torch.Tensor,
    outputs: int,
    decay: float,
    weights: torch.Tensor | None,
    smoothing: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logistic regression at its minimum."""
    from thalweg.training.loss import cross_entropy

    weight = torch.zeros((outputs, values.shape[1]), requires_grad=True)
    bias = torch.zeros(outputs, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        loss = cross_entropy(values @ weight.T + bias, labels, weights=weights, smoothing=smoothing)
        loss = loss + 0.5 * decay * weight.square().sum()
        loss.backward()
        return loss

    solver.step(closure)
    return weight.detach(), bias.detach()


def scores(logits: torch.Tensor, truth: np.ndarray) -> dict[str, float]:
    """On labelled pictures."""
    if logits.shape[1] == 1:
        logits = torch.cat((torch.zeros_like(logits), logits), dim=1)
    logs = logits.double().log_softmax(dim=1).numpy()
    right = float((logs.argmax(axis=1) == truth).mean())
    loss = float(-logs[np.arange(len(truth)), truth].mean())
    return {"accuracy": round(right, 4), "auc": round(area(np.exp(logs), truth), 4), "loss": round(loss, 4)}


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """By source: means over seeds, before and now; and for each decay the loss and the area, plain and smoothed."""
    told: dict[str, Any] = {}
    for case in SPLITS:
        mine = [row for row in rounds if row["case"] == case]
        if mine:
            told[case] = {
                name: {
                    what: round(float(np.mean([row[name][what] for row in mine])), 4)
                    for what in ("accuracy", "auc", "loss")
                }
                for name in ("before", "fit_head")
            }
            told[case]["loss by decay"] = {
                name: {
                    decay: round(float(np.mean([row[name][decay]["loss"] for row in mine])), 4)
                    for decay in mine[0][name]
                }
                for name in ("smoothing 0", f"smoothing {SMOOTHED:g}")
            }
    return told


if __name__ == "__main__":
    main()
