"""Labels that look wrong: files whose label a model that never saw them finds hard to believe.

A kernel ridge classifier (random Fourier features of a fixed description, Rahimi and Recht 2007) is fitted on four
fifths of the files and asked about the last fifth, five times; its scores become probabilities by a temperature fitted
on those same answers. How little the given label may be believed before a file is called suspect is not guessed: five
of a hundred labels are changed on purpose in a second round, and the limit is where three quarters of these planted
mistakes are found. Where too few of the files flagged by that limit are planted ones, the pictures do not tell the
classes apart well enough, and nothing is claimed.
(Northcutt, Jiang and Chuang 2021, Confident learning, motivates out-of-fold confidence.)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Suspects", "find_suspects"]

Floats = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.int64]

FOLDS = 5
PLANTED = 0.05
FOUND = 0.75
"""So many of the planted mistakes the limit shall find."""
PRECISION = 0.3
"""So many of the files flagged by it must be planted ones; as many real mistakes again would make it 0.6 in truth."""
FEATURES = 1000
LEAST = 100
"""With fewer files nothing is claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Files whose label looks wrong.

    Args:
        indices: Which files, the least believable label first.
        belief: The probability of the given label, for each.
        looks_like: The class that is believed instead, for each.
        accuracy: Share of all files whose label the model finds most likely.
        found: Share of planted mistakes that the limit finds.
        precision: Share of planted mistakes among the files that it flags; real ones among the rest count as wrong.
    """

    indices: Indexes
    belief: Floats
    looks_like: Indexes
    accuracy: float
    found: float
    precision: float


def find_suspects(
    descriptions: npt.NDArray[np.floating], labels: npt.NDArray[np.integer], classes: int, *, seed: int = 0
) -> Suspects:
    """Find labels that look wrong.

    Args:
        descriptions: `(files, features)`, from which nothing of the label may be read but what the picture shows.
        labels: Class of each file.
        classes: How many there are.
        seed: Decides folds, planted mistakes and random features.

    Returns:
        The suspects; none where planted mistakes cannot be told from right labels, or where there are few files.

    Example:
        >>> labels = np.arange(400) % 2
        >>> shown = np.random.default_rng(0).normal(labels[:, None], 0.1, (400, 3))
        >>> labels[7] = 0
        >>> find_suspects(shown, labels, 2).indices.tolist()[:1]
        [7]
    """
    random = np.random.default_rng((seed, 22))
    given = np.asarray(labels, dtype=np.int64)
    none = np.empty(0, np.int64)
    if len(given) < LEAST or classes < 2 or np.bincount(given, minlength=classes).min() < FOLDS:  # noqa: PLR2004
        return Suspects(indices=none, belief=np.empty(0), looks_like=none, accuracy=np.nan, found=0.0, precision=0.0)
    waves = _waves(np.asarray(descriptions, dtype=np.float64), random)
    folds = random.permutation(len(given)) % FOLDS
    planted = random.random(len(given)) < PLANTED
    shifted = np.where(planted, (given + random.integers(1, classes, len(given))) % classes, given)
    limit, found, precision = _limit(_suspicion(_out_of_fold(waves, shifted, folds, classes), shifted), planted)
    shares = _out_of_fold(waves, given, folds, classes)
    suspicion = _suspicion(shares, given)
    order = np.argsort(-suspicion, kind="stable")
    flagged = order[suspicion[order] >= limit]
    return Suspects(
        indices=flagged,
        belief=shares[flagged, given[flagged]],
        looks_like=shares[flagged].argmax(axis=1),
        accuracy=float((shares.argmax(axis=1) == given).mean()),
        found=found,
        precision=precision,
    )


def _waves(descriptions: Floats, random: np.random.Generator) -> Floats:
    """Random Fourier features of a Gaussian kernel whose width is the median distance."""
    spread = descriptions.std(axis=0)
    plain = (descriptions - descriptions.mean(axis=0)) / np.where(spread > 1e-9, spread, np.inf)  # noqa: PLR2004
    pairs = random.integers(0, len(plain), (2, 2000))
    width = np.median(np.linalg.norm(plain[pairs[0]] - plain[pairs[1]], axis=1)) or 1.0
    directions = random.normal(0, 1.4 / width, (plain.shape[1], FEATURES))
    waves = np.cos(plain @ directions + random.uniform(0, 2 * np.pi, FEATURES))
    return np.concatenate([waves, np.ones((len(waves), 1))], axis=1)


def _out_of_fold(waves: Floats, labels: Indexes, folds: Indexes, classes: int) -> Floats:
    """Probabilities of every class for every file, by a model that has not seen it."""
    targets = np.eye(classes)[labels]
    counts = np.maximum(targets.sum(axis=0), 1)
    weights = (len(labels) / (classes * counts))[labels]
    scores = np.empty_like(targets)
    for fold in range(FOLDS):
        inside = folds != fold
        weighted = waves[inside] * weights[inside, None]
        gram = weighted.T @ waves[inside] + 1e-3 * inside.sum() * np.eye(waves.shape[1])
        scores[~inside] = waves[~inside] @ np.linalg.solve(gram, weighted.T @ targets[inside])
    return min((_softmax(scores * sharp) for sharp in (4, 6, 8, 12, 16, 24)), key=lambda each: _loss(each, labels))


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _loss(shares: Floats, labels: Indexes) -> float:
    return float(-np.log(shares[np.arange(len(labels)), labels] + 1e-12).mean())


def _suspicion(shares: Floats, labels: Indexes) -> Floats:
    """How much more another class is believed than the given one, as a difference of log-probabilities."""
    own = np.log(shares[np.arange(len(labels)), labels] + 1e-12)
    others = shares.copy()
    others[np.arange(len(labels)), labels] = 0
    return np.log(others.max(axis=1) + 1e-12) - own


def _limit(suspicion: Floats, planted: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """The suspicion from which on enough planted mistakes are found; infinite where they cannot be told."""
    order = np.argsort(-suspicion, kind="stable")
    hits = planted[order].cumsum()
    if not hits[-1]:
        return np.inf, 0.0, 0.0
    last = int(np.searchsorted(hits, FOUND * hits[-1]))
    found, precision = float(hits[last] / hits[-1]), float(hits[last] / (last + 1))
    limit = float(suspicion[order[last]])
    return (limit, found, precision) if precision >= PRECISION and limit > 0 else (np.inf, found, precision)
