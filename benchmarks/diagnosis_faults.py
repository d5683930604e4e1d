"""Faults planted into small runs on real digits: what `thalweg diagnose` says about each, from the curves alone.

    python benchmarks/diagnosis_faults.py --seeds 5

Each run is a small network on scikit-learn's 1,797 digits, trained with a learning rate that suits the healthy one. A
fault is found when the run gets a warning or an error; it is named when the planted name is a finding or among its
alternatives. Healthy twins (same seeds, four schedules) show the false alarms.
"""

import argparse
import json
import math
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from thalweg.workbench.diagnose import diagnose

RESULT = Path(__file__).parent / "results" / "diagnosis_faults.json"
EPOCHS, BATCH = 25, 32


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One run, healthy unless changed."""

    make: Callable[[], nn.Module]
    rate: float = 0.05
    scale: float = 1 / 16
    schedule: str = "constant"
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = nn.functional.cross_entropy
    train_labels: str = "right"
    val_labels: str = "right"
    decay: float = 0.0
    share: float = 1.0
    frozen: bool = False
    epochs: int = EPOCHS


def plain(hidden: type[nn.Module] = nn.ReLU, depth: int = 2, dropout: float = 0.0, *, norm: bool = False) -> nn.Module:
    layers: list[nn.Module] = []
    size = 64
    for _ in range(depth):
        layers += [nn.Linear(size, 64), *([nn.BatchNorm1d(64)] if norm else []), hidden(), nn.Dropout(dropout)]
        size = 64
    return nn.Sequential(*layers, nn.Linear(size, 10))


def dead() -> nn.Module:
    network = plain()
    with torch.no_grad():
        network[0].bias.fill_(-20.0)
    return network


def zeros() -> nn.Module:
    network = plain()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    return network


def lagging() -> nn.Module:
    network = plain(norm=True)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 1e-4
    return network


def softmax_twice() -> nn.Module:
    return nn.Sequential(plain(), nn.Softmax(dim=1))


def negative(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy with class numbers as targets, as a sigmoid head on ten classes has it."""
    return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], labels.float())


HEALTHY = {
    name: Setup(make=lambda: plain(norm=True), schedule=name) for name in ("constant", "step", "cosine", "warmup")
}
HEALTHY |= {f"{name}, plain": replace(setup, make=plain) for name, setup in HEALTHY.items()}
FAULTS = {
    "learning_rate_too_high": Setup(make=plain, rate=30.0),
    "learning_rate_too_low": Setup(make=plain, rate=1e-4),
    "dying_relu": Setup(make=dead),
    "vanishing_gradient": Setup(make=lambda: plain(nn.Sigmoid, depth=8)),
    "frozen_parameters": Setup(make=plain, frozen=True),
    "wrong_head_or_loss": Setup(make=softmax_twice, rate=0.01),
    "wrong_head_or_loss (negative)": Setup(make=plain, loss=negative),
    "saddle_point (zero weights)": Setup(make=zeros),
    "label_noise": Setup(make=plain, train_labels="shuffled"),
    "input_scale": Setup(make=plain, scale=50.0),
    "excessive_regularization": Setup(make=plain, decay=0.3),
    "excessive_regularization (dropout)": Setup(make=lambda: plain(dropout=0.95)),
    "batchnorm_mismatch": Setup(make=lagging),
    "batchnorm_mismatch (labels of validation)": Setup(make=plain, val_labels="shifted"),
    "overfitting": Setup(make=lambda: plain(depth=3), share=0.05, train_labels="half", epochs=150),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, {options.seeds} seeds each")
    record: dict[str, object] = {"seeds": options.seeds, "torch": torch.__version__}
    for kind, setups in (("healthy", HEALTHY), ("fault", FAULTS)):
        for name, setup in setups.items():
            started = time.perf_counter()
            found, named, seen = 0, 0, Counter[str]()
            verdicts: Counter[str] = Counter()
            for seed in range(options.seeds):
                (run,) = diagnose(train(setup, seed)).results
                grave = [finding for finding in run.findings if finding.severity != "info"]
                found += bool(grave)
                told = {each for finding in run.findings for each in (finding.name, *finding.alternatives)}
                named += name.split(" (")[0] in told
                seen.update(finding.name for finding in grave)
                verdicts[run.learning_rate.verdict] += 1
            record[f"{kind}: {name}"] = {"found": found, "named": named, "findings": seen, "verdicts": verdicts}
            common = ", ".join(f"{what} {count}" for what, count in seen.most_common(4))
            told_named = f", named {named}" if kind == "fault" else ""
            print(f"{kind:8}{name:45}warned {found}/{options.seeds}{told_named}: {common} [{dict(verdicts)}] "
                  f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def train(setup: Setup, seed: int) -> dict[str, list[float]]:
    """Train one run and give its log as Keras would."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    pixels, labels = load_digits(return_X_y=True)
    order = random.permutation(len(labels))
    x, y = torch.tensor(pixels[order] * setup.scale).float(), torch.tensor(labels[order])
    cut = int(0.8 * len(y))
    held, train_x, train_y = (x[cut:], y[cut:]), x[:cut], y[:cut].clone()
    train_x, train_y = train_x[: int(setup.share * cut)], train_y[: int(setup.share * cut)]
    if setup.train_labels != "right":
        wrong = random.random(len(train_y)) < (1.0 if setup.train_labels == "shuffled" else 0.3)
        train_y[wrong] = torch.tensor(random.integers(0, 10, int(wrong.sum())))
    if setup.val_labels == "shifted":
        held = held[0], (held[1] + 1) % 10
    network = setup.make()
    if setup.frozen:
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        network.append(nn.Identity())
    moved = [parameter for parameter in network.parameters() if parameter.requires_grad] or [torch.zeros(1)]
    optimizer = torch.optim.SGD(moved, lr=setup.rate, momentum=0.9, weight_decay=setup.decay)
    log: dict[str, list[float]] = defaultdict(list)
    for epoch in range(setup.epochs):
        for group in optimizer.param_groups:
            group["lr"] = setup.rate * _factor(setup.schedule, epoch / setup.epochs)
        network.train()
        total, right = 0.0, 0
        for at in torch.randperm(len(train_y)).split(BATCH):
            if len(at) < 2:
                continue
            outputs = network(train_x[at])
            loss = setup.loss(outputs, train_y[at])
            if not setup.frozen:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += float(loss.detach()) * len(at)
            right += int((outputs.argmax(1) == train_y[at]).sum())
        network.eval()
        with torch.no_grad():
            outputs = network(held[0])
            log["loss"].append(total / len(train_y))
            log["accuracy"].append(right / len(train_y))
            log["val_loss"].append(float(setup.loss(outputs, held[1])))
            log["val_accuracy"].append(float((outputs.argmax(1) == held[1]).float().mean()))
    return dict(log)


def _factor(schedule: str, share: float) -> float:
    if schedule == "step":
        return 1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * share))
    return min(1.0, (share + 0.04) / 0.12) if schedule == "warmup" else 1.0


if __name__ == "__main__":
    main()
