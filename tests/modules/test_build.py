import copy
import pickle

import pytest
import torch
from torch import nn

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import LayerSpec, NetworkSpec
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, Concatenate, Conv2d, Dense, GlobalAvgPool, ReLU
from thalweg.networks.writing import block

PIXELS = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def small(classes=2, seed=0):
    return build(network("small", Shape(3, (32, 32)), classes), seed=seed)


def test_state_dict_has_readable_names():
    keys = list(build(network("plain", Shape(3, (16, 16)), 2), seed=0).state_dict())
    assert keys[:2] == ["conv1.weight", "conv1.bias"]
    assert keys[-2:] == ["dense2.weight", "dense2.bias"]
    assert "stage2.shortcut_norm.running_mean" in small().state_dict()


def test_both_forms_of_plain_agree_to_the_bit():
    modules = [
        build(network(name, Shape(3, (32, 32)), 2), seed=7).eval() for name in ("plain-sequential", "plain-functional")
    ]
    listed, called = (module(PIXELS) for module in modules)
    assert torch.equal(listed, called)
    assert 0 < listed.min() < listed.max() < 1


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = small(seed=3)
    assert torch.equal(state, torch.random.get_rng_state())
    torch.manual_seed(2)
    again, other = small(seed=3), small(seed=4)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.stem.conv1.weight, other.stem.conv1.weight)


def test_without_a_seed_torchs_generator_decides():
    torch.manual_seed(1)
    first, second = small(seed=None), small(seed=None)
    torch.manual_seed(1)
    assert torch.equal(small(seed=None).dense1.weight, first.dense1.weight)
    assert not torch.equal(first.dense1.weight, second.dense1.weight)


def test_a_value_branches_and_merges():
    x = Input(2, 4, 4)
    a, b = Conv2d(3, 1, bias=False)(x), Conv2d(3, 1, bias=False)(x)
    module = build(Network(x, [Concatenate()(Add()(a, b), a), b]), seed=0)
    pixels = torch.rand(2, 2, 4, 4)
    joined, right = module(pixels)
    left = module.conv1(pixels)
    torch.testing.assert_close(joined, torch.cat([left + module.conv2(pixels), left], 1))
    torch.testing.assert_close(right, module.conv2(pixels))


def test_shared_layers_are_one_module():
    x = Input(3, 4, 4)
    conv = Conv2d(3, 1)
    module = build(Network(x, conv(conv(x))), seed=0)
    assert list(module.state_dict()) == ["conv1.weight", "conv1.bias"]
    pixels = torch.rand(1, 3, 4, 4)
    torch.testing.assert_close(module(pixels), module.conv1(module.conv1(pixels)))


def test_survives_copies_and_pickles():
    module = small().eval()
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):  # noqa: S301 - our own
        assert torch.equal(twin(PIXELS), module(PIXELS))
        twin.dense1.weight.data.zero_()
        assert module.dense1.weight.abs().sum() > 0


def test_a_replaced_layer_is_the_one_that_runs():
    module = small().eval()
    module.dense1 = nn.Linear(256, 7)
    assert module(PIXELS).shape == (2, 7)


def test_compiles_in_one_graph():
    module = small().eval()
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(PIXELS), module(PIXELS))


def test_channels_last_stays():
    module = small().eval().to(memory_format=torch.channels_last)
    seen = []
    module.stage2.relu1.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    module(PIXELS.to(memory_format=torch.channels_last))
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_values_are_let_go_as_soon_as_nobody_needs_them():
    import gc
    import weakref

    x = Input(1, 4, 4)
    module = build(Network(x, GlobalAvgPool()(ReLU()(ReLU()(x)))), seed=0)
    alive, refs = [], []

    def watch(_module, _inputs, output):
        gc.collect()
        alive.append(sum(ref() is not None for ref in refs))
        refs.append(weakref.ref(output))

    for name in ("relu1", "relu2", "global_avg_pool1"):
        module.get_submodule(name).register_forward_hook(watch)
    with torch.no_grad():
        module(torch.rand(1, 1, 4, 4))
    assert alive == [0, 1, 1]  # relu1's value is gone when global_avg_pool1 ran


def test_zero_init_makes_blocks_start_as_the_identity():
    assert small().stage1.batch_norm2.weight.abs().max() == 0
    assert small().stage1.batch_norm1.weight.min() == 1


def test_on_meta_nothing_is_allocated():
    module = build(network("plain", Shape(3, (256, 256)), 2), device="meta")
    assert sum(weight.numel() for weight in module.parameters()) == 16_871_169
    assert all(weight.is_meta for weight in module.parameters())


def test_a_wrong_number_of_inputs_is_said():
    with pytest.raises(SpecError, match="takes 1 inputs, not 2"):
        small()(PIXELS, PIXELS)


def test_a_name_that_torch_uses_itself_is_refused():
    x = Input(3)
    with pytest.raises(SpecError, match="cannot be called 'forward'"):
        build(Network(x, Dense(2, name="forward")(x)))


@pytest.mark.parametrize("name", ["_steps", "spec", "train"])
def test_our_own_names_are_refused_too(name):
    x = Input(3)
    with pytest.raises(SpecError, match=f"cannot be called '{name}'"):
        build(Network(x, Dense(2, name=name)(x)))


def test_a_layer_and_a_block_cannot_have_one_name():
    x = Input(3)
    with block("a"):
        y = Dense(2)(x)
    with pytest.raises(SpecError, match="cannot be called 'a': a block has that name"):
        build(Network(x, Dense(2, name="a")(y)))


def test_a_layer_too_large_to_exist_is_said():
    x = Input(3)
    with pytest.raises(SpecError, match=r"layer 'dense2' \(linear\) cannot be allocated"):
        build(Network(x, Dense(2**40)(Dense(2**40)(x))), device="meta")


def test_blocks_become_modules():
    x = Input(3, 4, 4)
    with block("a"), block("b"):
        y = Conv2d(2, 1)(x)
    assert isinstance(build(Network(x, y)).a.b.conv1, nn.Conv2d)


def test_a_bad_spec_is_refused_before_anything_is_built():
    layer = LayerSpec(name="c", kind="conv9d", inputs=("x",))
    spec = NetworkSpec(name="n", inputs={"x": Shape(3, (4, 4))}, layers=(layer,), outputs=("c",))
    with pytest.raises(SpecError, match=r"'c' .*unknown layer kind 'conv9d'; did you mean conv"):
        build(spec)
