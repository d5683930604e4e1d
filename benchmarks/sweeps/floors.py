"""Losses with a high floor: what the shipped model says of small language models and noisy regressions.

    OMP_NUM_THREADS=1 python benchmarks/sweeps/floors.py

The sweeps that the model is fitted on are classifiers, most of which can reach a loss near zero. Letters of a text and
values with noise cannot be foretold: the loss stands far above zero at every rate. Ten problems (letters from one, four
or six before them and by a GRU; regressions with noise of known size; an autoencoder), 24 epochs at rates half a decade
apart, one seed. A run is right within 3 % of the way from the start to the best validation loss of the sweep, too low
or too high by its side where it is 10 % away; between, nothing is expected.

Curves are kept in `floors.jsonl.gz` and not made again: the text is this project's documentation, which changes.
"""

import gzip
import json
import math
import platform
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from thalweg.core.history import RunHistory
from thalweg.diagnosis.learning_rate import estimate

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CURVES = HERE / "floors.jsonl.gz"
RESULT = ROOT / "benchmarks/results/diagnosis-floors.json"
EPOCHS = 24
Pair = tuple[torch.Tensor, torch.Tensor]
VERDICTS = ("too_low", "about_right", "too_high", "undetermined")


class Letters(nn.Module):
    """The next letter from some before it, through a hidden layer or none."""

    def __init__(self, letters: int, before: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(letters, 16)
        wide = before * 16
        self.rest = (
            nn.Sequential(nn.Linear(wide, hidden), nn.Tanh(), nn.Linear(hidden, letters))
            if hidden
            else nn.Linear(wide, letters)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give logits."""
        return self.rest(self.embed(x).flatten(1))


class Recurrent(nn.Module):
    """The next letter by a GRU."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.embed, self.gru, self.out = (
            nn.Embedding(letters, 16),
            nn.GRU(16, 48, batch_first=True),
            nn.Linear(48, letters),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give logits."""
        return self.out(self.gru(self.embed(x))[0][:, -1])


def text() -> tuple[torch.Tensor, int]:
    files = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
    whole = "".join(each for file in files for each in file.read_text(encoding="utf-8").lower() if each.isascii())
    letters = sorted(set(whole))
    number = {letter: index for index, letter in enumerate(letters)}
    return torch.tensor([number[letter] for letter in whole]), len(letters)


def spoken(before: int, samples: int, seed: torch.Generator) -> Pair:
    whole, _ = text()
    at = torch.randint(0, len(whole) - before - 1, (samples,), generator=seed)
    return torch.stack([whole[place : place + before] for place in at]), whole[at + before]


def measured(samples: int, seed: torch.Generator, *, noise: float, bent: bool) -> Pair:
    x = torch.randn(samples, 20, generator=seed)
    slope = torch.randn(20, generator=torch.Generator().manual_seed(5)) / 20**0.5
    y = x @ slope + (torch.sin(2 * x[:, 0]) * x[:, 1] if bent else 0) + noise * torch.randn(samples, generator=seed)
    return x, y[:, None]


def digits() -> tuple[Pair, Pair]:
    from sklearn.datasets import load_digits

    x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    return (x[:1400], x[:1400]), (x[1400:], x[1400:])


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))


def narrow() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 6), nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 64))


def problems() -> dict[str, tuple[Callable[[], nn.Module], Callable[[torch.Generator], tuple[Pair, Pair]], str, int]]:
    letters = text()[1]

    def of_text(before: int, train: int, held: int) -> Callable[[torch.Generator], tuple[Pair, Pair]]:
        return lambda seed: (spoken(before, train, seed), spoken(before, held, seed))

    def of_numbers(noise: float, *, bent: bool) -> Callable[[torch.Generator], tuple[Pair, Pair]]:
        return lambda seed: tuple(measured(n, seed, noise=noise, bent=bent) for n in (4000, 1000))  # type: ignore[return-value]

    return {
        "bigram-adamw": (lambda: Letters(letters, 1, 0), of_text(1, 6000, 2000), "adamw", 64),
        "bigram-sgd": (lambda: Letters(letters, 1, 0), of_text(1, 6000, 2000), "sgd", 64),
        "letters-sgd": (lambda: Letters(letters, 6, 64), of_text(6, 8000, 2000), "sgd", 64),
        "letters-adamw": (lambda: Letters(letters, 4, 64), of_text(4, 8000, 2000), "adamw", 64),
        "gru-adamw": (lambda: Recurrent(letters), of_text(10, 5000, 1500), "adamw", 64),
        "linear-sgd": (lambda: nn.Linear(20, 1), of_numbers(0.5, bent=False), "sgd", 64),
        "linear-adamw": (lambda: nn.Linear(20, 1), of_numbers(1.0, bent=False), "adamw", 64),
        "regression-adamw": (mlp, of_numbers(0.5, bent=True), "adamw", 64),
        "regression-sgd": (mlp, of_numbers(0.3, bent=True), "sgd", 64),
        "autoencoder-adamw": (narrow, lambda _: digits(), "adamw", 32),
    }


def train(make: Callable[[], nn.Module], parts: tuple[Pair, Pair], kind: str, batch: int, rate: float) -> dict:
    (x, y), (held_x, held_y) = parts
    of = nn.functional.mse_loss if y.is_floating_point() else nn.functional.cross_entropy
    torch.manual_seed(3)
    net = make()
    with torch.no_grad():
        start = float(of(net(held_x), held_y))
    way = (
        torch.optim.AdamW(net.parameters(), lr=rate)
        if kind == "adamw"
        else torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    )
    order, seen, held = torch.Generator().manual_seed(7), [], []
    for _ in range(EPOCHS):
        total, mixed = 0.0, torch.randperm(len(x), generator=order)
        for first in range(0, len(x) - batch + 1, batch):
            some = mixed[first : first + batch]
            loss = of(net(x[some]), y[some])
            way.zero_grad()
            loss.backward()
            way.step()
            total += loss.item()
        seen.append(total / (len(x) // batch))
        with torch.no_grad():
            held.append(float(of(net(held_x), held_y)))
        if not math.isfinite(seen[-1]):
            break
    return {"rate": rate, "start": start, "train_loss": seen, "val_loss": held}


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    if CURVES.exists():
        with gzip.open(CURVES, "rt") as file:
            rows = [json.loads(line) for line in file]
    for name, (make, data, kind, batch) in problems().items():
        if any(row["problem"] == name for row in rows):
            continue
        parts = data(torch.Generator().manual_seed(1))
        powers = range(-10, 1) if kind == "adamw" else range(-8, 3)
        rows += [{"problem": name} | train(make, parts, kind, batch, 10 ** (power / 2)) for power in powers]
        with gzip.open(CURVES, "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        print(name, flush=True)
    result = {
        "benchmark": "losses with a high floor", "problems": len({row["problem"] for row in rows}), "runs": len(rows),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "hardware": platform.machine(), **score(rows),
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def score(rows: list[dict]) -> dict:
    """Verdicts by what a run was, over all problems and problem by problem."""
    told: Counter[tuple[str, str, str]] = Counter()
    for name in dict.fromkeys(row["problem"] for row in rows):
        sweep = [row for row in rows if row["problem"] == name]
        ends = [row["val_loss"][-1] if math.isfinite(row["val_loss"][-1]) else math.inf for row in sweep]
        best = min(ends)
        for row, end in zip(sweep, ends, strict=True):
            lost = (end - best) / (row["start"] - best)
            side = "too_low" if row["rate"] < sweep[ends.index(best)]["rate"] else "too_high"
            label = "about_right" if lost <= 0.03 else side if lost >= 0.1 else "between"
            curves = zip(row["train_loss"], row["val_loss"], strict=True)
            epochs = [{"epoch": n, "train_loss": a, "val_loss": b} for n, (a, b) in enumerate(curves, 1)]
            told[name, label, estimate(RunHistory.from_epochs(epochs)).verdict] += 1
    labels = ("too_low", "about_right", "too_high", "between")
    whole = {
        label: {verdict: sum(n for (_, a, b), n in told.items() if (a, b) == (label, verdict)) for verdict in VERDICTS}
        for label in labels
    }
    right = {
        name: f"{sum(n for (p, a, b), n in told.items() if p == name and a == b)} of "
        f"{sum(n for (p, a, _), n in told.items() if p == name and a != 'between')}"
        for name in dict.fromkeys(p for p, _, _ in told)
    }
    return {"verdicts_by_truth": whole, "right_by_problem": right}


if __name__ == "__main__":
    main()
