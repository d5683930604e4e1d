import pytest

from thalweg.accounting.solve import solve
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
