"""Batch normalisation of a single position over a single sample, found on the description before anything is trained.

Batch normalisation subtracts the mean over batch and positions and divides by the deviation. Where a branch has pooled
its map to one position, only the batch is left; with one sample there is one number, its own mean, and every channel
comes out as its offset whatever went in. Torch refuses it (`Expected more than 1 value per channel when training`), but
only when it happens: at the last batch of the first epoch, for example, where one picture is left over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.layer_kinds import output_shapes
from thalweg.core.network_spec import NetworkSpec

__all__ = ["LonelyNormalisation", "explain_batch_of_one", "find_batch_of_one", "smallest_batch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LonelyNormalisation:
    """A batch normalisation that has one number a channel to take a mean of.

    Args:
        layer: Its name.
        reads: The size of what it reads, such as `32x1x1`.
    """

    layer: str
    reads: str


def smallest_batch(samples: int, batch_size: int) -> int:
    """Samples in the smallest batch of an epoch that keeps its last, incomplete batch.

    Args:
        samples: Samples to train on.
        batch_size: Samples a step.

    Returns:
        The batch size, or what is left over.

    Example:
        >>> smallest_batch(367, 6), smallest_batch(366, 6), smallest_batch(3, 8)
        (1, 6, 3)
    """
    return min(samples, samples % batch_size or batch_size)


def find_batch_of_one(spec: NetworkSpec, batch_size: int) -> tuple[LonelyNormalisation, ...]:
    """Find the batch normalisations that a batch cannot train.

    Args:
        spec: The network; layers that are not trained are judged too, since torch refuses those as well.
        batch_size: Samples in the smallest batch that is trained on (`smallest_batch`).

    Returns:
        Those that read one position of one sample; none for batches of two and more.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> norm = LayerSpec(name="norm", kind="batch_norm", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(8, (1, 1))}, layers=(norm,), outputs=("norm",))
        >>> find_batch_of_one(spec, 1)[0].layer, find_batch_of_one(spec, 2)
        ('norm', ())
    """
    if batch_size > 1:
        return ()
    shapes = output_shapes(spec)
    return tuple(
        LonelyNormalisation(layer=layer.name, reads=str(shapes[layer.inputs[0]]))
        for layer in spec
        if layer.kind == "batch_norm" and set(shapes[layer.inputs[0]].extents) <= {1}
    )


def explain_batch_of_one(
    spec: NetworkSpec, batch_size: int, *, samples: int | None = None, held: Sequence[str] = ()
) -> str:
    """What is wrong with training a network in such batches, in a sentence with the way out.

    Args:
        spec: The network.
        batch_size: Samples a step.
        samples: Samples to train on, where a last batch may be smaller; None where every batch is full.
        held: Layers that keep the statistics they came with, and so need no batch.

    Returns:
        The sentence; empty where nothing is wrong.

    Example:
        >>> from thalweg.core.network_spec import LayerSpec
        >>> from thalweg.core.shape import Shape
        >>> norm = LayerSpec(name="norm", kind="batch_norm", inputs=("x",))
        >>> spec = NetworkSpec(name="n", inputs={"x": Shape(8, (1, 1))}, layers=(norm,), outputs=("norm",))
        >>> explain_batch_of_one(spec, 4), explain_batch_of_one(spec, 4, samples=8)
        ('', '')
        >>> explain_batch_of_one(spec, 4, samples=9).partition(":")[0]
        'the last batch of 9 samples in fours holds 1'
    """
    smallest = batch_size if samples is None else smallest_batch(samples, batch_size)
    found = [each for each in find_batch_of_one(spec, smallest) if each.layer not in held]
    if not found:
        return ""
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    left_over = batch_size > 1 and samples is not None and samples > batch_size
    if left_over:
        numbers = {2: "twos", 3: "threes", 4: "fours", 8: "eights"}
        where = f"the last batch of {samples} samples in {numbers.get(batch_size, f'batches of {batch_size}')} holds 1"
        way = f"take another batch size, such as {_fitting(samples or 0, batch_size)}"
    else:
        where = "a batch holds 1 sample"
        way = "train with batches of 2 or more"
    if first.layer.startswith("context."):
        way += ", or a context module without it (gc, nonlocal)"
    return (
        f"{where}: batch normalisation {first.layer!r} ({first.reads}{more}) would have one number a channel, whose "
        f"mean is itself, so that nothing of it is left; {way}"
    )


def _fitting(samples: int, batch_size: int) -> int:
    """The nearest batch size whose last batch holds two or more."""
    for distance in range(1, batch_size + samples):
        for size in (batch_size - distance, batch_size + distance):
            if size > 1 and smallest_batch(samples, size) > 1:
                return size
    return samples
