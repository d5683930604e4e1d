"""Five of a hundred labels flipped: how many of the flagged files are flipped ones, and how many of those are flagged?

Subsets of Fashion-MNIST's training files get 5 % of their labels replaced by another class, drawn evenly; then suspects
are asked for. The promise (precision 51 %, recall 70 %) is for subsets of 5,000 files and more: with fewer the plain
model tells the ten classes apart less well, and claims less or nothing.

    python benchmarks/reliability/label_noise.py --out benchmarks/results/reliability/label_noise.json
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from outcome import Case, report

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "fashion-mnist"
SIZES = (2000, 5000, 10_000)


def idx(name: str) -> np.ndarray:
    """Read one of the files of MNIST's form."""
    data = gzip.decompress((DATA / name).read_bytes())
    shape = [int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def try_one(size: int, seed: int, pictures: np.ndarray, labels: np.ndarray) -> Case:
    """Flip labels of a subset, ask for suspects."""
    from thalweg.data.health.descriptors import describe_pictures
    from thalweg.evaluation.label_noise import find_suspects

    random = np.random.default_rng((size, seed))
    chosen = random.permutation(len(labels))[:size]
    true = labels[chosen].astype(np.int64)
    flipped = random.random(size) < 0.05
    given = np.where(flipped, (true + random.integers(1, 10, size)) % 10, true)
    found = find_suspects(describe_pictures(pictures[..., None], chosen), given, 10, seed=seed)
    hits = int(flipped[found.indices].sum())
    count = len(found.indices)
    precision, recall = hits / count if count else None, hits / int(flipped.sum())
    good = precision is not None and precision >= 0.51 and recall >= 0.7
    return {
        "files": size, "seed": seed, "flipped": int(flipped.sum()), "flagged": count, "precision": precision,
        "recall": recall, "planted_found": found.found, "planted_precision": found.precision,
        "accuracy": found.accuracy, "held": good or (size < 5000 and count == 0),
    }  # fmt: skip


def work(quick: bool) -> dict[str, object]:
    """Sizes and seeds."""
    pictures, labels = idx("train-images-idx3-ubyte.gz"), idx("train-labels-idx1-ubyte.gz")
    cases = [(5000, 0)] if quick else [(size, seed) for size in SIZES for seed in range(3 if size < 10_000 else 2)]
    details = [try_one(size, seed, pictures, labels) for size, seed in cases]
    return {"row": 22, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
