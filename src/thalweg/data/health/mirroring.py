"""Whether the classes of pictures tell left from right, so that a mirrored picture belongs to another class or to none.

Arrows, letters, hands that sign: mirrored, `b` is a `d`. Cats and scenes are what they were, and a network learns from
mirrored copies that it may expect them. Which of the two a source is shows in a small classifier (Coates and Ng, 2011:
filters cut from the pictures themselves, what they answer pooled in nine fields, ridge regression): it is asked about
files that it did not see, once after learning the others, once after learning their mirrored copies as well.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch.nn import functional

from thalweg.data.storing.remembered import remembered

__all__ = ["MirrorTrial", "try_mirroring"]

TRIAL_VERSION = 1
"""Raised whenever the trial would end otherwise on the same pictures."""

TOLD = 3.0
"""Standard deviations of chance by which mirrored copies must have cost answers. Seen: letters b, d, p, q 12, arrows 7,
small digits 3; clothes, X-rays and solar cells at most 2, objects of CIFAR-10 less than none."""
FILES = 600
"""So many of the training part are looked at; fewer than `FEWEST` tell nothing."""
FEWEST = 40
_SIDE = 32
_PATCH = 6
_FILTERS = 48
_FIELDS = 3
_FOLDS = 4
_RIDGE = 0.01
_FLOOR = 0.04
"""Contrast below which a place counts as flat, of 0 to 1."""
_THRESHOLD = 0.3
"""Filters that fit less than that stay silent."""
_TOGETHER = 50
"""Pictures at a time: what they need stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class MirrorTrial:
    """What came of learning mirrored copies as well.

    Args:
        files: How many were asked about.
        lost: Right without mirrored copies only.
        won: Right with them only.
    """

    files: int
    lost: int
    won: int

    @property
    def excess(self) -> float:
        """By how many standard deviations of chance more answers were lost than won (McNemar's test)."""
        return (self.lost - self.won) / math.sqrt(max(1, self.lost + self.won))

    @property
    def costs(self) -> bool:
        """Whether mirrored copies cost answers, beyond chance."""
        return self.excess >= TOLD


def try_mirroring(samples: np.ndarray, rows: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> MirrorTrial | None:
    """Learn some pictures of the training part with and without mirrored copies, in about half a second.

    What came of it is remembered: another run on the same pictures need not try again.

    Args:
        samples: All cached pictures, uint8 `(rows, height, width, 1 or 3)`.
        rows: Row of each picture of the training part.
        labels: Class of each, int64.
        seed: Decides which are looked at, and what filters are cut from them.

    Returns:
        What came of it; None where there are too few pictures, or nothing to see in them.
    """
    random = np.random.default_rng(seed)
    some = random.permutation(len(rows))[:FILES]
    if len(some) < FEWEST:
        return None
    pictures = torch.cat([_small(samples[rows[part]]) for part in np.array_split(some, -(-len(some) // _TOGETHER))])
    truth = labels[some].astype(np.int64)
    return remembered(
        "mirroring",
        TRIAL_VERSION,
        (pictures.numpy(), truth, np.array([seed, len(rows)])),  # the last two are where the filters come from
        lambda: _tried(pictures, torch.from_numpy(truth), random),
        written=lambda trial: None if trial is None else asdict(trial),
        read=lambda known: None if known is None else MirrorTrial(**{name: int(known[name]) for name in known}),
    )


def _tried(pictures: torch.Tensor, truth: torch.Tensor, random: np.random.Generator) -> MirrorTrial | None:
    filters = _cut(pictures, random)
    if filters is None:
        return None
    seen = torch.stack([_answers(side, filters) for side in (pictures, pictures.flip(3))])
    seen = (seen - seen.mean(dim=(0, 1))) / (seen.std(dim=(0, 1)) + 1e-3)
    wanted = functional.one_hot(truth).float()
    fold = torch.arange(len(truth)) % _FOLDS
    right = torch.zeros(2, len(truth), dtype=torch.bool)
    for held in range(_FOLDS):
        learned, asked = fold != held, fold == held
        for copies in (1, 2):
            known = torch.cat(list(seen[:copies, learned]))
            scores = _ridge(known, wanted[learned].repeat(copies, 1), seen[0, asked], copies)
            right[copies - 1, asked] = scores.argmax(dim=1) == truth[asked]
    return MirrorTrial(len(truth), lost=int((right[0] & ~right[1]).sum()), won=int((right[1] & ~right[0]).sum()))


def _small(block: np.ndarray) -> torch.Tensor:
    """Pictures of 32 x 32 from 0 to 1, channels first. Bytes are made smaller as bytes: seven times as fast."""
    pictures = torch.from_numpy(np.ascontiguousarray(block)).movedim(-1, 1)
    if tuple(pictures.shape[2:]) != (_SIDE, _SIDE):
        pictures = functional.interpolate(pictures, size=(_SIDE, _SIDE), mode="bilinear", antialias=True)
    return pictures.float() / 255


def _cut(pictures: torch.Tensor, random: np.random.Generator) -> torch.Tensor | None:
    """Filters `(n, channels, 6, 6)`: pieces of pictures with something in them, of mean 0 and deviation 1."""
    found = []
    for _ in range(100 * _FILTERS):
        index = int(random.integers(len(pictures)))
        down, across = random.integers(0, _SIDE - _PATCH + 1, 2).tolist()
        piece = pictures[index, :, down : down + _PATCH, across : across + _PATCH]
        piece = piece - piece.mean()
        contrast = float(piece.std())
        if contrast > _FLOOR / 2:
            found.append(piece / contrast)
        if len(found) == _FILTERS:
            return torch.stack(found)
    return torch.stack(found) if len(found) > _FIELDS else None


def _answers(pictures: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """What filters answer to pictures, `(N, features)`: how alike a place or its negative is, whatever its contrast."""
    found = []
    for some in torch.split(pictures, _TOGETHER):
        mean = functional.avg_pool2d(some.mean(dim=1, keepdim=True), _PATCH, 1)
        square = functional.avg_pool2d(some.square().mean(dim=1, keepdim=True), _PATCH, 1)
        contrast = (square - mean.square()).clamp_min(0).sqrt() + _FLOOR
        alike = functional.conv2d(some, filters) / contrast / math.sqrt(filters[0].numel())
        both = torch.cat([functional.relu(alike - _THRESHOLD), functional.relu(-alike - _THRESHOLD)], dim=1)
        found.append(functional.adaptive_avg_pool2d(both, _FIELDS).flatten(1))
    return torch.cat(found)


def _ridge(known: torch.Tensor, wanted: torch.Tensor, asked: torch.Tensor, copies: int) -> torch.Tensor:
    """Scores of `asked` by ridge regression, solved among the pictures: there are fewer of them than features."""
    mean = wanted.mean(dim=0)
    held_back = copies * _RIDGE * known.shape[1] * torch.eye(len(known))
    scores: torch.Tensor = asked @ (known.T @ torch.linalg.solve(known @ known.T + held_back, wanted - mean)) + mean
    return scores
