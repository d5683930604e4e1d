"""Pictures that are there twice: exactly, or re-encoded, resized, or mirrored left to right.

A twin on the other side of the split makes an accuracy a lie, so twins are found before the split is made.

Exact twins have the same decoded pixels. Near twins are judged on 16 x 16 grey miniatures, and always *relative to
their own set*: what all pictures share (a chest, the busbars of a solar cell, a black background) says nothing about
two of them being the same photo. Each miniature x is brought to mean 0 and length 1, the set's mean m is taken away,

    r = x / |x| - m,   d(a, b) = |r_a - r_b|^2 / (|r_a| |r_b|)

which is 0 for the same picture and about 2 for unrelated ones. Twins made by JPEG quality 50, by halving or by
mirroring have d below 0.005 (98 % of them) on solar cells and below 0.001 on X-rays, where the closest 1 % of different
photos are 0.013 and 0.22 apart.
The limit is taken from the set: 0.15 times the distance that the closest 5 % of its pictures have to their nearest
neighbour, but from 0.006 to 0.05. A neighbour that is closer than 0.15 times the one after it is a twin and is passed
over there: else many twins that are blurred (32 pixels made from 19) would hide one another.

Small sets are compared pair by pair. Large ones are searched with random hyperplanes in the whitened space of their
own principal components (locality-sensitive hashing: Charikar 2002, "Similarity estimation techniques from rounding
algorithms"), so that also a homogeneous set fills its buckets evenly and no step is quadratic. What is kept for each
picture stays below 100 bytes, beside 128 in a nameless file where they are many; all else is worked out in blocks.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Duplicate
from thalweg.core.files import cache_folder
from thalweg.data.health.sides import one_side
from thalweg.data.health.twin_memory import remembered_groups
from thalweg.data.storing.cache import Pictures
from thalweg.data.storing.roomy import roomy

__all__ = ["find_duplicates"]

_Kind = TypeVar("_Kind", bound=np.generic)
Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.int64]

_LEAST, _MOST, _SHARE = 0.006, 0.05, 0.15
_ROUNDING = 1e-4  # of a product of two directions in float32, generously
_ALL_PAIRS = 4000  # sets up to this size are compared pair by pair
_TABLES = 16
_COMPONENTS = 32
_WINDOW = 32  # neighbours looked at within a bucket, in the order of the first component
_BLOCK = 8192
_PLACE, _PLACES = np.uint64(32), np.uint64(2**32 - 1)  # a bucket's bits stand above those of a place
_FAINT = 0.5  # a miniature whose grey values spread less than this, as standard deviation, has no face to recognise
_PRIOR = 20  # the set's mean is trusted as if this many pictures spoke against it: two pictures have no common look


def find_duplicates(
    pictures: Pictures,
    files: Sequence[str],
    labels: Sequence[int] | Indexes | None = None,
    classes: Sequence[str] = (),
) -> tuple[Duplicate, ...]:
    """Find groups of files that show the same picture.

    Args:
        pictures: What `load_pictures` returned for these files; those left out are passed over.
        files: The files, in the same order.
        labels: Their classes, in the same order; None if there are none.
        classes: Names of all classes: where two differ by their side alone, mirror images may be of one and the other.

    Returns:
        Groups in the order of their first file; a group is `exact` only if all its members are.
    """
    usable = np.flatnonzero(pictures.rows >= 0)
    if len(usable) == 0:
        return ()

    def search() -> list[Indexes]:
        return _groups(pictures, usable)

    # Of few pictures a search is as quick.
    groups = remembered_groups(pictures.thumbnails, pictures.content, search) if len(usable) > _ALL_PAIRS else search()
    found, sides = [], one_side(classes)
    for indexes in groups:
        exact = bool((pictures.content[indexes] == pictures.content[indexes[0]]).all())
        labelled = {int(labels[index]) for index in indexes} if labels is not None else set()
        if not exact and sides:  # mirror images are near, and may be of either side
            labelled = {sides[label] for label in labelled}
        found.append(
            Duplicate(
                kind="exact" if exact else "near",
                files=tuple(sorted(files[index] for index in indexes)),
                labels_differ=len(labelled) > 1,
            )
        )
    return tuple(sorted(found, key=lambda duplicate: duplicate.files))


def _groups(pictures: Pictures, usable: Indexes) -> list[Indexes]:
    """Positions of pictures that are the same, two or more a group."""
    _, first, same = np.unique(pictures.content[usable], axis=0, return_index=True, return_inverse=True)
    leaders = usable[first]  # one of each set of exact twins
    group = np.arange(len(leaders))
    for a, b in _near_pairs(pictures.thumbnails, leaders):
        _join(group, a, b)
    while (group != (above := group[group])).any():  # every one to its root
        group = above
    near = group[same.ravel()]
    several = np.flatnonzero(np.bincount(near)[near] > 1)
    several = several[np.argsort(near[several], kind="stable")]
    borders = np.flatnonzero(np.diff(near[several])) + 1
    return np.split(usable[several], borders) if len(several) else []


def _near_pairs(thumbnails: npt.NDArray[np.uint8], leaders: Indexes) -> list[tuple[int, int]]:
    # Positions among the leaders of pictures that look the same.
    clear = np.concatenate([
        thumbnails[block].reshape(len(block), -1).std(axis=1) >= _FAINT for block in _blocks(leaders)
    ]).nonzero()[0]
    if len(clear) < 2:  # noqa: PLR2004 - a pair
        return []
    faces = _Faces(thumbnails, leaders[clear])
    limit = faces.limit()
    search = faces.all_pairs if len(clear) <= _ALL_PAIRS else faces.likely_pairs
    pairs: set[tuple[int, int]] = set()
    for a, b in search(limit):
        pairs.update(zip(np.minimum(a, b).tolist(), np.maximum(a, b).tolist(), strict=True))
    return [(int(clear[a]), int(clear[b])) for a, b in sorted(pairs)]


class _Faces:
    """Miniatures with what they have in common taken away; computed in blocks so that memory stays small."""

    def __init__(self, thumbnails: npt.NDArray[np.uint8], clear: Indexes) -> None:
        self.thumbnails, self.clear = thumbnails, clear
        total = np.zeros(thumbnails[0].size, np.float64)
        for block in _blocks(clear):
            total += _unit(thumbnails[block]).sum(axis=0)
        self.mean = (total / (len(clear) + _PRIOR)).astype(np.float32)

    def residual(self, indexes: Indexes, *, mirrored: bool = False) -> Floats:
        """What is special about some pictures, shape (pictures, 256)."""
        chosen = self.thumbnails[self.clear[indexes]]
        faces = _unit(chosen[:, :, ::-1] if mirrored else chosen)
        faces -= self.mean
        return faces

    def limit(self) -> float:
        """The largest distance that counts as the same picture in this set."""
        rng = np.random.default_rng(0)
        count = len(self.clear)
        some = rng.permutation(count)[:400]
        others = rng.permutation(count)[:_ALL_PAIRS]
        distance = _distances(self.residual(some), self.residual(others))
        distance[(distance < _LEAST) | (some[:, None] == others[None])] = 4  # itself and its twins: as far as can be
        nearest, second = np.partition(distance, 1, axis=1)[:, :2].T if count > 1 else distance[:, [0, 0]].T
        # What is that much closer than all others is a twin further away than most, and no measure of strangers.
        nearest = np.where(nearest < _SHARE * second, second, nearest)
        return float(np.clip(_SHARE * np.quantile(nearest, 0.05), _LEAST, _MOST))

    def all_pairs(self, limit: float) -> Iterator[tuple[Indexes, Indexes]]:
        """Compare every picture with every later one and its mirror image."""
        everyone = np.arange(len(self.clear))
        plain, mirrored = self.residual(everyone), self.residual(everyone, mirrored=True)
        length, turned = (np.linalg.norm(faces, axis=1) for faces in (plain, mirrored))  # never 0: the mean is shorter
        sides = [(faces / long[:, None], faces, long) for faces, long in ((plain, length), (mirrored, turned))]
        # |a - b|^2 / |a||b| = |a|/|b| + |b|/|a| - 2 cos >= 2 - 2 cos: one product rules out nearly all pairs.
        least = 1 - limit / 2 - _ROUNDING
        for start in range(0, len(everyone), 512):
            own = sides[0][0][start : start + 512]
            for directions, faces, long in sides:
                a, b = np.nonzero(own @ directions[start:].T >= least)
                a, b = a[b > a] + start, b[b > a] + start
                for block in _blocks(np.arange(len(a))):
                    mine, theirs = a[block], b[block]
                    squared = ((plain[mine] - faces[theirs]) ** 2).sum(axis=1)
                    near = squared < limit * length[mine] * long[theirs]
                    yield mine[near], theirs[near]

    def likely_pairs(self, limit: float) -> Iterator[tuple[Indexes, Indexes]]:
        """Compare pictures that share a bucket in one of several hash tables, mirror images included."""
        count = len(self.clear)
        bits = min(24, max(8, int(np.log2(count)) + 2))
        white, spread, lengths = self._whitened()
        along = np.argsort(white[:, 0], kind="stable").astype(np.int32)
        rank = np.empty_like(along)
        rank[along] = np.arange(len(along), dtype=np.int32)
        rng = np.random.default_rng(0)
        weights = 1 << np.arange(bits, dtype=np.int32)
        sorted_by = np.empty(len(along), np.uint64)  # bucket, then place along the first axis
        for _ in range(_TABLES):
            planes = rng.standard_normal((white.shape[1], bits)).astype(np.float32)
            for start in range(0, len(white), _BLOCK):
                here = slice(start, start + _BLOCK)
                sorted_by[here] = (white[here].astype(np.float32) @ planes > 0) @ weights
                sorted_by[here] = (sorted_by[here] << _PLACE) | rank[here].astype(np.uint64)
            sorted_by.sort()
            for start in range(0, len(sorted_by), _BLOCK):
                key = sorted_by[start : start + _BLOCK + _WINDOW - 1]
                some = along[key & _PLACES]
                # Read once for all neighbours: taking numbers of half precision apart costs ten times as much.
                near = white[some].astype(np.float32) * spread
                bucket, owner, turned, long = key >> _PLACE, some % count, some >= count, lengths[some]
                alive = np.arange(min(_BLOCK, len(some)))
                for step in range(1, _WINDOW):
                    alive = alive[: np.searchsorted(alive, len(some) - step)]
                    alive = alive[bucket[alive] == bucket[alive + step]]  # in order of key: who differs, goes on so
                    if not len(alive):
                        break
                    apart_from_itself = owner[alive] != owner[alive + step]
                    left = alive[apart_from_itself & ~(turned[alive] & turned[alive + step])]
                    # Along a few axes pictures are at most as far apart as they are: that rules out nearly all.
                    apart = near[left] - near[left + step]
                    left = left[np.einsum("ij,ij->i", apart, apart) < limit * long[left] * long[left + step]]
                    if len(left):
                        yield self._confirm(some[left], some[left + step], limit)

    def _confirm(self, left: Indexes, right: Indexes, limit: float) -> tuple[Indexes, Indexes]:
        count = len(self.clear)
        # The mirrored one of the two, if any, goes right.
        left, right = np.where(left < count, left, right), np.where(left < count, right, left)
        kept = [np.zeros(0, bool)]
        for block in _blocks(np.arange(len(left))):
            mine = self.residual(left[block])
            theirs = np.where(
                (right[block] >= count)[:, None],
                self.residual(right[block] % count, mirrored=True),
                self.residual(right[block] % count),
            )
            lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs, axis=1)
            kept.append(((mine - theirs) ** 2).sum(axis=1) < limit * lengths)
        near = np.concatenate(kept)
        return left[near], right[near] % count

    def _whitened(self) -> tuple[npt.NDArray[np.float16], Floats, Floats]:
        """Describe all pictures, then all mirrored ones, in few numbers.

        The axes are those of pictures and mirror images together: in a set of shoes that all point left, mirrored
        shoes would otherwise lie far outside and share one bucket.

        Returns:
            Coordinates along the principal axes with unit variance, shape (2 pictures, axes), in half precision, which
            moves a distance by some 1e-5 where the smallest limit is 6e-3; the standard deviation along each axis; the
            length of each whole residual.
        """
        everyone = np.arange(len(self.clear))
        sample = np.random.default_rng(0).permutation(everyone)[:10_000]
        middle = (self.mean + self.mean.reshape(self.thumbnails.shape[1:])[:, ::-1].ravel()) / 2 - self.mean
        both = np.empty((2 * len(sample), len(self.mean)), np.float32)
        both[: len(sample)] = self.residual(sample)
        both[len(sample) :] = self.residual(sample, mirrored=True)
        both -= middle
        values, vectors = np.linalg.eigh((both.T @ both / len(both)).astype(np.float64))
        kept = np.argsort(values)[::-1][:_COMPONENTS]
        kept = kept[values[kept] > 1e-3 * values.max()]
        spread = np.sqrt(values[kept]).astype(np.float32)
        del both
        axes = vectors[:, kept].astype(np.float32) / spread
        white = roomy(cache_folder(), (2 * len(everyone), len(kept)), np.float16)
        lengths = np.empty(2 * len(everyone), np.float32)
        for mirrored in (False, True):
            for block in _blocks(everyone):
                residual = self.residual(block, mirrored=mirrored)
                place = block + len(everyone) * mirrored
                lengths[place] = np.linalg.norm(residual, axis=1)
                residual -= middle
                white[place] = residual @ axes
        return white, spread, lengths


def _unit(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return flat


def _distances(a: Floats, b: Floats) -> Floats:
    """Relative squared distance of every row of one array to every row of another."""
    a2, b2 = (a**2).sum(axis=1), (b**2).sum(axis=1)
    squared = a2[:, None] + b2[None] - 2 * (a @ b.T)
    lengths = np.sqrt(a2[:, None] * b2[None])
    return np.asarray(np.maximum(squared, 0) / np.maximum(lengths, 1e-12), np.float32)


def _blocks(array: npt.NDArray[_Kind]) -> Iterator[npt.NDArray[_Kind]]:
    for start in range(0, len(array), _BLOCK):
        yield array[start : start + _BLOCK]


def _root(group: Indexes, index: int) -> int:
    while group[index] != index:
        group[index] = group[group[index]]
        index = int(group[index])
    return index


def _join(group: Indexes, a: int, b: int) -> None:
    group[_root(group, b)] = _root(group, a)
