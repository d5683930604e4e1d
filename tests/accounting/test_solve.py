import pytest

from thalweg.accounting.solve import _fitting, solve
from thalweg.core.errors import SpecError
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.shape import Shape
from thalweg.networks.functional import Input, Network
from thalweg.networks.inline import inline_network
from thalweg.networks.layers import Add, Conv2d, Dense, MaxPool2d, Upsample

VALID = "conv1d(16,7) maxpool1d(2) conv1d(32,5) maxpool1d(2) conv1d(64,5) maxpool1d(2) flatten dense(128) dense(5)"
SAME = VALID.replace(",7)", ",7,padding=same)").replace(",5)", ",5,padding=same)")


@pytest.mark.parametrize(("text", "answer"), [(VALID, (502, 509)), (SAME, (472, 479))])
def test_the_question_of_the_course(text, answer):
    spec = inline_network(text, Shape(3, (505,)))
    assert solve(spec, "flatten=59*64").ranges == (answer,)


def test_every_answer_and_no_neighbour_gives_it():
    spec = inline_network("conv2d(4,3,stride=2,padding=1) maxpool2d(3,2,ceil_mode=true) flatten", Shape(1, (30, 30)))
    ((low, high),) = solve(spec, "flatten1 = 4*9*9").ranges

    def flat(size):
        text = "conv2d(4,3,stride=2,padding=1) maxpool2d(3,2,ceil_mode=true) flatten"
        return output_shapes(inline_network(text, Shape(1, (size, size))))["flatten1"].size

    assert [size for size in range(8, 80) if flat(size) == 324] == list(range(low, high + 1))


def test_sizes_between_that_do_not_fit_are_left_out():
    x = Input(2, 16, 16)
    down = MaxPool2d(4)(x)
    spec = Network(x, Add()(Upsample(4)(down), x))
    assert solve(spec, "add1=2*24*24").ranges == ((24, 24),)
    assert solve(spec, "max_pool1=2*6*6").ranges == ((24, 27),)


def test_without_an_answer_the_nearest_are_told():
    solution = solve(inline_network("maxpool1d(2)", Shape(3, (9,))), "max_pool1=10")
    assert (solution.ranges, solution.nearest) == ((), (9, 12))


STRIDED = "conv2d(16,3,stride=2) relu maxpool2d(2) conv2d(32,3) globalavgpool flatten"


@pytest.mark.parametrize(
    ("text", "question", "per_axis"),
    [
        (STRIDED, "conv2=32*5*7", (((29, 32),), ((37, 40),))),
        (STRIDED, "conv2=5*7*32", (((29, 32),), ((37, 40),))),  # channels last
        (STRIDED, "conv2=33*5*7", ()),
        (STRIDED, "conv2=32*5*5", ()),  # equal sizes answer it
        ("conv2d(16,3) flatten", "flatten=16*62*46", (((64, 64),), ((48, 48),))),
        ("conv3d(2,3) maxpool3d(2) flatten", "flatten=2*7*31*23", (((16, 17),), ((64, 65),), ((48, 49),))),
    ],
)
def test_each_axis_may_have_a_size_of_its_own(text, question, per_axis):
    spec = inline_network(text, Shape(3, (64, 48) if "3d" not in text else (16, 64, 48)))
    found = solve(spec, question)
    assert found.per_axis == per_axis
    if per_axis:
        sizes = tuple(runs[0][1] for runs in per_axis)
        again = inline_network(text, Shape(3, sizes))
        assert output_shapes(again)[found.layer].size == found.wanted


@pytest.mark.parametrize(
    "question", ["Flatten=16*124", "flatten == 16×124", "flatten=(16, 124)", "flatten=۱۶*۱۲۴", "Flatten_1 = 1984"]
)
def test_a_question_in_other_letters(question):
    spec = inline_network("conv1d(16,7) max_pool1d(2) flatten", Shape(3, (505,)))
    assert solve(spec, question).ranges == ((254, 255),)
    assert solve(spec, "maxpool1d=16*124").layer == "max_pool1"


def test_sizes_without_end_are_said():
    spec = inline_network(STRIDED, Shape(3, (64, 64)))
    assert solve(spec, "globalavgpool=32").beyond
    assert not solve(spec, "conv2=32*5*5").beyond


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("flatten", "is no question"),
        ("flatten=a", "is no question"),
        ("flatten=-3", "is no question"),
        ("flatten=0", "asks for 0 values"),
        ("nowhere=5", "no layer 'nowhere'; ask for one of conv1"),
        ("conv1d=5", "3 layers of the kind 'conv1d'; ask for one of conv1, conv2, conv3"),
    ],
)
def test_a_question_that_cannot_be_answered(question, words):
    with pytest.raises(SpecError, match=words):
        solve(inline_network(VALID, Shape(3, (505,))), question)


def test_networks_without_one_spatial_input_are_refused():
    x, y = Input(3, 8, 8), Input(3, 8, 8)
    with pytest.raises(SpecError, match="2 inputs"):
        solve(Network([x, y], Conv2d(1, 1)(Add()(x, y))), "conv1=4")
    z = Input(3)
    with pytest.raises(SpecError, match="no spatial size"):
        solve(Network(z, Dense(2)(z)), "dense1=2")


@pytest.mark.parametrize(
    ("fits", "at_most"),
    [
        (lambda _: True, 1100),
        (lambda size: size % 96 == 5, 1200),
        (lambda size: size % 256 in {3, 9}, 1400),
        (lambda size: size > 5000, 70_000),
        (lambda size: size < 3000 or size % 2 == 0, 70_000),
        (lambda size: size % 300 == 0, 70_000),
    ],
)
@pytest.mark.parametrize("sizes", [range(1, 65_537), range(700, 1700), range(5, 1030), range(40_000, 40_000)])
def test_sizes_that_fit_are_those_of_asking_for_each_however_few_are_asked(fits, at_most, sizes):
    asked = []
    found = _fitting(lambda size: asked.append(size) or fits(size), sizes)
    assert found == [size for size in sizes if fits(size)]
    assert len(asked) <= at_most
