"""Receptive fields against enumeration: every position follows what it reads, as a set, through random networks."""

import random

import pytest

from thalweg.accounting.ledger import count
from thalweg.core.errors import ShapeError
from thalweg.core.shape import Shape
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import (
    Add,
    AvgPool1d,
    Concatenate,
    Conv1d,
    ConvTranspose1d,
    Crop,
    MaxPool1d,
    Subsample,
    Upsample,
)

EXTENT = 160


def slide(sets, kernel, stride, before, after, dilation):
    """What every output sees, written as slowly as it is defined."""
    padded = [frozenset()] * before + list(sets) + [frozenset()] * after
    reach = (kernel - 1) * dilation + 1
    return [
        frozenset().union(*(padded[start + tap * dilation] for tap in range(kernel)))
        for start in range(0, len(padded) - reach + 1, stride)
    ]


def spread(sets, kernel, stride, padding):
    """A transposed convolution: input i adds to the outputs i*stride .. i*stride + kernel - 1, less the padding."""
    size = (len(sets) - 1) * stride + kernel
    outputs = [set() for _ in range(size)]
    for number, seen in enumerate(sets):
        for tap in range(kernel):
            outputs[number * stride + tap] |= seen
    return [frozenset(seen) for seen in outputs[padding : size - padding]]


def random_step(chance, value, sets):
    """One random layer, in our words and as sets."""
    kind = chance.choice(["conv", "conv", "conv", "max", "avg", "transposed", "up", "sub", "crop"])
    kernel, stride, dilation = chance.randint(1, 5), chance.randint(1, 2), chance.randint(1, 3)
    if kind == "conv":
        before, after = chance.randint(0, 3), chance.randint(0, 3)
        layer = Conv1d(2, kernel, stride=stride, padding=((before, after),), dilation=dilation)
        return layer(value), slide(sets, kernel, stride, before, after, dilation)
    if kind in {"max", "avg"}:
        pool = MaxPool1d if kind == "max" else AvgPool1d
        half = kernel // 2
        return pool(kernel, stride=stride, padding=half)(value), slide(sets, kernel, stride, half, half, 1)
    if kind == "crop":
        before, after = chance.randint(0, 3), chance.randint(0, 3)
        return Crop(((before, after),))(value), sets[before : len(sets) - after]
    if kind == "transposed":
        padding = chance.randint(0, kernel - 1)
        return ConvTranspose1d(2, kernel, stride=stride, padding=padding)(value), spread(sets, kernel, stride, padding)
    if kind == "up":
        return Upsample(2)(value), [seen for seen in sets for _ in range(2)]
    return Subsample(stride)(value), sets[::stride]


def random_block(chance, value, sets):
    """A residual branch or a concatenation of two, which keep the number of positions."""
    kernels = [chance.choice([1, 3, 5, 7]) for _ in range(2)]
    dilation = chance.randint(1, 3)
    branches, seen = [], []
    for kernel in kernels:
        margin = dilation * (kernel - 1) // 2
        branches.append(Conv1d(2, kernel, padding=margin, dilation=dilation)(value))
        seen.append(slide(sets, kernel, 1, margin, margin, dilation))
    join = chance.choice([Add, Concatenate])
    return join()(*branches), [first | second for first, second in zip(*seen, strict=True)]


def random_network(seed):
    chance = random.Random(seed)
    value = Input(2, EXTENT)
    start, sets = value, [frozenset([position]) for position in range(EXTENT)]
    for _ in range(chance.randint(1, 5)):
        step = random_block if chance.random() < 0.4 else random_step
        value, sets = step(chance, value, sets)
        if not 12 <= len(sets) <= 2 * EXTENT:
            return None
    try:
        return Network(start, value), sets
    except ShapeError:
        return None


def span(seen):
    return max(seen) - min(seen) + 1 if seen else 0


@pytest.mark.parametrize("part", range(4))
def test_fields_equal_their_enumeration(part):
    held = 0
    for seed in range(1000 * part, 1000 * part + 120):
        made = random_network(seed)
        if made is None:
            continue
        spec, sets = made
        row = count(spec).rows[-1]
        assert row.output_shape.extents == (len(sets),)
        if row.receptive_field[0] > EXTENT // 3:
            continue  # the border would cut every field
        assert row.receptive_field[0] == max(map(span, sets)), seed
        held += 1
    assert held >= 50  # so that the four parts hold 200 networks


def test_a_whole_input_is_seen_after_adaptive_pooling_to_one():
    from thalweg.networks.layers import AdaptiveAvgPool2d, Multiply, Sigmoid

    x = Input(4, 32, 48)
    gate = Sigmoid()(AdaptiveAvgPool2d(1)(x))
    assert count(Network(x, Multiply()(x, gate))).rows[-1].receptive_field == (32, 48)


def test_branches_that_are_cut_on_either_side_see_what_lies_between():
    x = Input(2, 30)
    first, last = Crop(((0, 5),))(x), Crop(((5, 0),))(x)  # position i meets position i + 5
    assert count(Network(x, Add()(first, last))).rows[-1].receptive_field == (6,)
    assert count(Network(x, Add()(Conv1d(2, 3)(first), Conv1d(2, 3)(last)))).rows[-1].receptive_field == (8,)


def test_uneven_adaptive_windows_count_their_widest():
    from thalweg.networks.layers import AdaptiveAvgPool1d

    x = Input(1, 10)
    # Windows of 10 positions over 4: 0-2, 2-4, 5-7, 7-9, each 3 wide (floor and ceil of 2.5 steps).
    assert count(Network(x, AdaptiveAvgPool1d(4)(x))).rows[-1].receptive_field == (3,)


def test_shape_of_the_oracle_is_the_definition():
    sets = [frozenset([position]) for position in range(10)]
    assert span(slide(sets, 3, 1, 0, 0, 4)[0]) == 9
    assert Shape(1, (len(slide(sets, 3, 2, 1, 1, 1)),)) == Shape(1, (5,))
