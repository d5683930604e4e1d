"""What fits is put together; what does not is refused in one line that says where."""

import pytest

from thalweg.core.errors import ThalwegError
from thalweg.derivation.case import build_case

PLAIN = {"kind": "conv2d", "x": "3x3", "f": "2x2"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": "[[1, 2], [3]]"}, "ragged: x\\[1\\]"),
        ({"x": [[1, 2], 3]}, "ragged"),
        ({"x": "2x2", "f": "3x3"}, "larger than the input on axis 1: 3 entries against 2"),
        ({"dilation": 3}, "larger than the input"),
        ({"x": "1000x1000"}, "1,000,000 entries"),
        ({"x": "60x60", "f": "3x3"}, "30,276 products and take minutes; the limit is 20,000"),
        ({"x": "30x30", "f": "5x5", "head": "sigmoid mean"}, "the limit is 120,000"),
        ({"x": [["f1", 0], [0, 1]], "f": "2x2"}, "f1 stands for two things, x and f"),
        ({"x": [["c", 0], [0, 1]], "head": "c*sum"}, "c stands for two things, x and head"),
        ({"x": [["y1", 0], [0, 1]]}, "y1 has a meaning of its own"),
        ({"x": [["lambda", 0], [0, 1]]}, "lambda has a meaning of its own"),
        ({"x": [["O", 0], [0, 1]]}, "O "),
        ({"x": [[float("nan"), 0], [0, 1]]}, "x\\[0\\]\\[0\\] is nan; only finite"),
        ({"x": [[float("inf"), 0], [0, 1]]}, "inf; only finite"),
        ({"x": "[[1/0]]"}, "divided by zero"),
        ({"x": "[[1, 2], [3, 4"}, "not closed"),
        ({"x": "[[a b, 2]]"}, "a name such as a1"),
        ({"x": [[True, 0], [0, 1]]}, "is True"),
        ({"x": "3x0"}, "size is 0"),
        ({"stride": 0}, "0 is out of range; from 1"),
        ({"stride": -1}, "-1 is out of range"),
        ({"stride": (1, 2, 3)}, "one per axis \\(2\\)"),
        ({"stride": 1.5}, "a whole number"),
        ({"padding": -1}, "from 0"),
        ({"padding": "reflect"}, "same, valid or full"),
        ({"padding": "same", "stride": 2}, "as in torch"),
        ({"groups": 2}, "--groups 2 does not divide 1 input channels"),
        ({"x": "4x3x3", "f": "2x3x2x2"}, "f reads 3 channels"),
        ({"x": "2x1x3x3", "f": "1x1x2x2"}, "one sample at a time"),
        ({"kind": "conv4d"}, "conv1d, conv2d or conv3d"),
        ({"bias": [1, 2]}, "bias has 2 entries"),
        ({"head": "softsign"}, "no stage is called 'softsign'"),
        ({"head": "dense(0)"}, "from 1 to 100 rows"),
        ({"head": "dense(101)"}, "from 1 to 100 rows"),
        ({"head": "dense([[1, 2], [3, 4]])"}, "weights of 2x2; rows of 4"),
        ({"head": "dense([[1, 2, 3, 4], [5, 6, 7, 8]], [1])"}, "2 rows and was given 1 biases"),
        ({"head": "maxpool(9)"}, "larger than the 2x2"),
        ({"head": "cross-entropy(4)"}, "class 4"),
        ({"head": "dense([1, 2])"}, "2 values, but 4 numbers arrive"),
        ({"head": "relu*2"}, "takes no factor"),
        ({"head": 7}, "text such as"),
        ({"head": "$$"}, "not understood near"),
    ],
)
def test_refuses(changed, words):
    with pytest.raises(ThalwegError, match=words) as refused:
        build_case(**{**PLAIN, **changed})
    assert refused.value.exit_status == 2
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "shapes"),
    [
        ({}, ((3, 3), (2, 2), (2, 2))),
        ({"kind": "conv1d", "x": 5, "f": 2}, ((5,), (2,), (4,))),
        ({"x": "2x3x3", "f": "2x2x2"}, ((2, 3, 3), (2, 2, 2), (2, 2))),
        ({"f": "3x2x2"}, ((3, 3), (3, 2, 2), (3, 2, 2))),
        ({"x": "1x2x3x3", "f": "4x2x2x2"}, ((1, 2, 3, 3), (4, 2, 2, 2), (1, 4, 2, 2))),
        ({"x": "4x3x3", "f": "4x2x2x2", "groups": 2}, ((4, 3, 3), (4, 2, 2, 2), (4, 2, 2))),
        ({"x": "2x2", "f": "3x3", "padding": 1}, ((2, 2), (3, 3), (2, 2))),
        ({"padding": "same"}, ((3, 3), (2, 2), (3, 3))),
    ],
)
def test_shapes(changed, shapes):
    case, _ = build_case(**{**PLAIN, **changed})
    assert (case.x_shape, case.f_shape, case.y_shape) == shapes


def test_same_padding_puts_the_odd_zero_behind():
    assert build_case(**{**PLAIN, "padding": "same"})[0].padding == ((0, 1), (0, 1))


@pytest.mark.parametrize(
    ("head", "kinds"),
    [
        ("relu, mean", ["relu", "mean"]),
        ("sigmoid then squared error", ["sigmoid", "squared_error"]),
        ("max pooling(2) | c * sum(y)", ["max_pool", "sum"]),
        ("sigmoid cross-entropy(1)", ["sigmoid", "cross_entropy"]),
        ("mean squared error", ["mean_squared_error"]),
        ("relu", ["relu", "sum"]),
        (["avg-pool2d(2x1)", "dense"], ["average_pool", "dense"]),
    ],
)
def test_heads_are_read_as_people_write_them(head, kinds):
    assert [stage.kind for stage in build_case(**PLAIN, head=head)[0].head] == kinds


def test_dense_rows_are_as_many_as_said():
    head = build_case(**PLAIN, head="dense(3) tanh dense([[1, 2, a]], [b]) mse")[0].head
    assert [len(stage.values) for stage in head] == [12, 0, 3, 1]
    assert (head[0].offsets, head[2].offsets) == (("0", "0", "0"), ("b",))
    alone, notes = build_case(**PLAIN, head="dense crossentropy")
    assert alone.head[0].offsets == ()
    assert any("reads one number here" in note for note in notes)


def test_two_stages_do_not_share_symbols():
    first, second = build_case(**PLAIN, head="squared-error squared-error")[0].head
    assert first.values == ("t1", "t2", "t3", "t4")
    assert second.values == ("t_1",)
