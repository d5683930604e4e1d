import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.accounting.ledger import count
from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.trace import trace
from thalweg.networks.catalogue import NAMES, axes_of, network


def same_rows(first, second):
    def rows(spec):
        return [
            (row.name, row.output_shape, row.parameters, row.buffers, row.macs, row.receptive_field)
            for row in count(spec).rows
        ]

    return rows(first) == rows(second)


@pytest.mark.parametrize("name", NAMES)
def test_build_then_trace_is_the_identity(name):
    spec = network(name, Shape(3, (96,) * axes_of(name)), 5)
    again = trace(build(spec, device="meta"))
    assert same_rows(spec, again)
    assert [layer.kind for layer in again] == [layer.kind for layer in spec]


class Foreign(nn.Module):
    """What people write: modules, functions, methods, a residual, a concatenation, a layer used twice."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.again = nn.Conv2d(8, 8, (3, 1), padding=(1, 0))
        self.head = nn.Linear(32, 4)

    def forward(self, pixels):
        x = self.stem(pixels / 255 - 0.5)
        y = functional.relu(self.again(self.again(x)))
        x = torch.cat([x + y, functional.max_pool2d(x, 3, 1, 1)], dim=1)
        x = functional.avg_pool2d(x, 2)
        pooled = torch.flatten(functional.adaptive_max_pool2d(x, 1), 1)
        x = torch.cat((x.mean((2, 3)), pooled), 1)
        return functional.softmax(self.head(functional.dropout(x.view(x.size(0), -1), 0.1, self.training)), dim=1)


def test_a_foreign_module_runs_the_same_when_built_from_its_trace():
    module = Foreign().eval()
    spec = trace(module, Shape(3, (9, 8)), name="mine")
    twin = build(spec, seed=0).eval()
    twin.load_state_dict(module.state_dict(), strict=True)
    pixels = torch.rand(2, 3, 9, 8) * 255
    torch.testing.assert_close(twin(pixels), module(pixels))
    assert spec.layer("again_2").shared == "again"
    assert count(spec).parameters == sum(weight.numel() for weight in module.parameters())


class Odd(nn.Module):
    def __init__(self, step):
        super().__init__()
        self.step = step
        self.scale = nn.Parameter(torch.ones(1))
        self.kernel = nn.Parameter(torch.ones(2, 3, 2, 1))

    def forward(self, x):
        return self.step(self, x)


@pytest.mark.parametrize(
    ("step", "kind", "macs"),
    [
        (lambda _, x: torch.fft.fft(x), "opaque", None),
        (lambda me, x: x * me.scale, "step", 0),
        (lambda _, x: functional.elu(x, 0.5), "step", 0),
        (lambda _, x: x.mean(1), "step", 0),
        (lambda _, x: torch.flatten(x, 2), "step", 0),
        (lambda _, x: 1 / x, "step", 0),
        (lambda _, x: {"a": x + 1}, "rescale", 0),
        (lambda _, x: x @ x.mT, "product", 3 * 8 * 8 * 8),
        (lambda _, x: x.mT.__rmatmul__(x), "product", 3 * 8 * 8 * 8),
        (lambda _, x: torch.einsum("b c i j, b c k j -> b c i k", x, x), "product", 3 * 8 * 8 * 8),
        (lambda _, x: torch.einsum("...ij,...kj->...ik", [x, x]), "product", 3 * 8 * 8 * 8),
        (lambda _, x: torch.bmm(x[0], x[0]), "product", 3 * 8 * 8 * 8),
        (lambda _, x: torch.einsum("bcij,bckj,bclj->bcikl", x, x, x), "opaque", None),
        (
            lambda _, x: functional.scaled_dot_product_attention(x, x[:, :, :5], x[:, :, :5]),
            "product",
            2 * 3 * 8 * 5 * 8,
        ),
        (lambda me, x: functional.conv2d(x, me.kernel * me.scale), "product", 2 * 7 * 8 * 6),
        (lambda me, x: functional.conv2d(x, me.kernel), "conv2d", 2 * 7 * 8 * 6),
        (lambda me, x: functional.conv_transpose2d(x, me.kernel.mT.movedim(0, 1)), "product", 3 * 8 * 8 * 4),
        (lambda me, x: x + me.kernel[0, 0, 0] @ me.kernel[0, 0, :1], "product", 1),
    ],
)
def test_a_step_without_a_layer_of_ours_is_recorded_and_counted(step, kind, macs):
    module = Odd(step).train()
    rows = count(trace(module, Shape(3, (8, 8)))).rows
    assert (rows[-1 if rows[-1].name != "unused" else -2].kind) == kind
    assert sum(row.parameters for row in rows) == 13  # also those that the step does not use
    assert module.training
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert not any("forward" in vars(part) for part in module.modules())
    total = None if None in {row.macs for row in rows} else sum(row.macs for row in rows)
    assert total == macs


def test_the_part_that_cannot_be_followed_is_named():
    inner = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(SpecError, match=r"Sequential cannot be followed at '1\.1' \(Linear\)"):
        trace(nn.Sequential(nn.Conv2d(3, 8, 3), inner), Shape(3, (8, 8)))


def test_lazy_layers_get_their_sizes_and_stay_lazy():
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2), nn.Linear(2, 2))
    lazy[4].weight.requires_grad_(requires_grad=False)
    before = lazy[4].weight
    spec = trace(lazy, Shape(3, (8, 8)))
    assert [layer.kind for layer in spec] == ["conv2d", "batch_norm", "flatten", "linear", "linear"]
    assert spec.layers[3].settings["out_features"] == 2
    assert count(spec).parameters == (27 + 1) * 4 + 2 * 4 + (4 * 36 + 1) * 2 + (2 + 1) * 2
    assert lazy[4].weight is before
    assert isinstance(lazy[0].weight, nn.parameter.UninitializedParameter)
    with pytest.raises(SpecError, match="lazy layers of Sequential cannot be given their sizes"):
        trace(nn.Sequential(nn.LazyLinear(3), nn.Linear(4, 2)), Shape(5))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda _, x: x if x.sum() > 0 else -x, "Odd cannot be followed"),
        (lambda _, x: x @ x.new_zeros(3, 3), "Odd cannot be followed"),
        (lambda _, __: torch.zeros(3), "no value computed from its input is found"),
        (lambda *_: None, "returns NoneType"),
    ],
)
def test_what_cannot_be_followed_is_refused(step, words):
    with pytest.raises(SpecError, match=words):
        trace(Odd(step), Shape(3, (8, 8)))


@pytest.mark.parametrize(
    ("layer", "kind", "macs"),
    [
        (nn.Conv2d(3, 4, 3, padding_mode="reflect"), "conv2d", 4 * 27 * 36),
        (nn.LSTM(8, 8), "product", 3 * 8 * 2 * 4 * 8 * 8),
        (nn.GRU(8, 5, 2, bidirectional=True), "product", 3 * 8 * 2 * 3 * 5 * ((8 + 5) + (10 + 5))),
        (nn.GELU(approximate="tanh"), "step", 0),
        (nn.BatchNorm2d(3, track_running_stats=False), "step", 0),
        (nn.LayerNorm(8), "step", 0),
        (nn.LayerNorm((3, 8, 8)), "layer_norm", 0),
        (nn.Softmax(dim=-1), "step", 0),
        (nn.Softmax(dim=1), "softmax", 0),
        (nn.AdaptiveAvgPool2d((None, 1)), "step", 0),
        (nn.Linear(8, 5), "product", 3 * 8 * 8 * 5),
        (nn.MultiheadAttention(8, 2, batch_first=True, bias=False), "product", None),
    ],
)
def test_layers_in_a_form_of_their_own_keep_their_weights(layer, kind, macs):
    if isinstance(layer, nn.MultiheadAttention):
        module, shape = Odd(lambda me, x: me.part(x, x, x)[0]), Shape(6, (8,))
        module.part, macs = layer, 4 * 6 * 8 * 8 + 2 * 6 * 6 * 8
    elif isinstance(layer, nn.RNNBase):
        module, shape = Odd(lambda me, x: me.part(x[0])[0]), Shape(3, (8, 8))
        module.part = layer
    else:
        module, shape = nn.Sequential(layer), Shape(3, (8, 8))
    ledger = count(trace(module, shape))
    assert kind in {row.kind for row in ledger.rows}
    assert ledger.parameters == sum(weight.numel() for weight in module.parameters())
    assert ledger.macs == macs


def test_the_weights_of_a_dense_layer_on_tokens_show_their_arithmetic():
    rows = count(trace(nn.Sequential(nn.Linear(8, 5), nn.Linear(5, 4, bias=False)), Shape(7, (8,)))).rows
    assert [row.formula for row in rows] == ["(8 + 1)*5 = 45", "5*4 = 20"]
    assert [row.name for row in rows] == ["0", "1"]


def test_weights_used_twice_are_counted_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.conv = nn.Linear(8, 8), nn.Linear(8, 8), nn.Conv1d(4, 4, 1)
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.conv(self.conv(self.two(self.one(x))))

    module = Tied()
    ledger = count(trace(module, Shape(4, (8,))))
    assert ledger.parameters == 64 + 8 + 8 + 20 == sum(weight.numel() for weight in module.parameters())
    assert ledger.macs == 2 * 4 * 64 + 2 * 16 * 8
    assert [row.name for row in ledger.rows] == ["one", "two", "conv", "conv_2"]


def test_a_result_that_came_about_unseen_is_an_opaque_step_of_its_module():
    def hidden(_, x):
        with torch._C.DisableTorchFunction():  # as extensions in C++ are
            return x.exp()

    module = nn.Sequential(nn.Conv2d(3, 4, 1), Odd(hidden), nn.ReLU())
    rows = count(trace(module, Shape(3, (8, 8)))).rows
    assert [(row.name, row.kind, row.macs) for row in rows[1:]] == [("1", "opaque", None), ("2", "relu", 0)]
    rows = count(trace(Odd(lambda me, x: hidden(me, x) + x), Shape(3, (8, 8)))).rows
    assert [(row.name, row.kind, row.macs) for row in rows[:1]] == [("add", "opaque", None)]


def test_no_weight_is_allocated_and_the_module_stays_as_it_was():
    with torch.device("meta"):
        huge = nn.Sequential(nn.Conv2d(3, 1 << 20, 64), nn.BatchNorm2d(1 << 20), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert count(trace(huge, Shape(3, (64, 64)))).parameters == (3 * 64 * 64 + 1 + 2) << 20
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    trace(module, Shape(3, (8, 8)))
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_an_activation_in_place_whose_result_nobody_takes_is_seen():
    module = Odd(lambda me, x: (me.part(x), x * 2)[1])
    module.part = nn.ReLU(inplace=True)
    spec = trace(module, Shape(3, (8, 8)))
    assert [(layer.kind, layer.inputs) for layer in spec][:2] == [("relu", ("x",)), ("rescale", ("part",))]


def test_a_module_that_fails_is_left_as_it_was():
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(5, 4, 1)).train()
    with pytest.raises(SpecError, match="cannot be followed"):
        trace(module, Shape(3, (8, 8)))
    assert all(part.training and "forward" not in vars(part) and not part._forward_hooks for part in module.modules())
    assert not next(module.parameters()).is_meta


def test_a_local_step_keeps_the_receptive_field_and_others_see_everything():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Mish(), Odd(lambda _, x: x.mT), nn.Conv2d(4, 4, 3))
    rows = {row.name: row.receptive_field for row in count(trace(module, Shape(3, (32, 32)))).rows}
    assert (rows["0"], rows["1"], rows["2"], rows["3"]) == ((3, 3), (3, 3), (32, 32), (32, 32))


def test_a_branch_on_a_value_is_told_as_such():
    class Branch(nn.Module):
        def forward(self, x):
            return torch.relu(x) if x.sum() > 0 else x

    with pytest.raises(
        SpecError, match=r"cannot be followed: it asks for values.*count a module that goes one of the ways"
    ):
        trace(Branch(), Shape(3, (8, 8)))


def test_a_network_of_two_inputs_wants_two_shapes():
    class Both(nn.Module):
        def forward(self, picture, age):
            return {"sum": picture.mean((2, 3)) + age}

    with pytest.raises(SpecError, match=r"'age' of Both is not given: it takes 2.*--input '3,224,224; 10'"):
        trace(Both(), Shape(3, (32, 32)))
    assert list(trace(Both(), Shape(3, (32, 32)), Shape(3)).inputs) == ["picture", "age"]


def test_shapes_must_be_as_many_as_inputs():
    with pytest.raises(SpecError, match="the shape of input 'input' of Sequential is not given"):
        trace(nn.Sequential(nn.ReLU()))
    with pytest.raises(SpecError, match="1 input shapes more"):
        trace(nn.Sequential(nn.ReLU()), Shape(3), Shape(3))


def test_a_replaced_layer_is_read_as_it_is_now():
    module = build(network("small", Shape(3, (32, 32)), 2), seed=0)
    module.dense1 = nn.Linear(256, 7)
    assert count(trace(module)).rows[-2].output_shape == Shape(7)


class Probe(nn.Module):
    """A frozen projection and attention before a trained head; one weight is the module's own."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(4, 8), requires_grad=False)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True).requires_grad_(requires_grad=False)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        rows = x.flatten(2).transpose(1, 2)
        rows, _ = self.attention(rows, rows, rows, need_weights=False)
        return self.head(rows.mean(1)), rows @ self.table.T


def test_what_is_frozen_stays_frozen():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2))
    module[:2].requires_grad_(requires_grad=False)
    spec = trace(module, Shape(3, (8, 8)))
    assert [layer.name for layer in spec if not layer.trainable] == ["0", "1"]
    built = build(spec, seed=0)
    assert [name for name, weight in built.named_parameters() if weight.requires_grad] == ["4.weight", "4.bias"]
    assert trace(built) == spec
    rows = {row.name: row for row in count(spec).rows}
    assert sum(row.parameters for row in rows.values() if row.trainable) == 8 * 36 * 2 + 2


def test_steps_of_somebodys_module_know_what_is_frozen():
    module = Probe()
    rows = count(trace(module, Shape(8, (4, 4)))).rows
    trained = sum(weight.numel() for weight in module.parameters() if weight.requires_grad)
    assert sum(row.parameters for row in rows if row.trainable) == trained == 27
    assert sum(row.parameters for row in rows) == sum(weight.numel() for weight in module.parameters())
