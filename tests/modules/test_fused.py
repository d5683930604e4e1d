"""Chains of layers run as one give what torch's layers give one by one: values, both gradients, statistics."""

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.modules import fused
from thalweg.modules.build import BuiltNetwork, build
from thalweg.modules.fused import run_alone, run_chain
from thalweg.modules.native import kernels
from thalweg.networks.catalogue import network
from thalweg.training.rank_layers import spread_layers

CHAINS: dict[str, Callable[[int], list[nn.Module]]] = {
    "rectifier, norm, pool": lambda c: [nn.ReLU(), nn.BatchNorm2d(c), nn.MaxPool2d(2)],
    "rectifier, norm": lambda c: [nn.ReLU(), nn.BatchNorm2d(c)],
    "norm, rectifier, pool": lambda c: [nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(2)],
    "norm, rectifier": lambda c: [nn.BatchNorm2d(c), nn.ReLU()],
    "norm, rectifier to six": lambda c: [nn.BatchNorm2d(c), nn.ReLU6()],
}
SHAPES = [(3, 16, 8, 6), (2, 24, 5, 7), (5, 40, 2, 3)]
"""Channels that are and are no multiple of what a processor takes at once; extents that are even and odd."""


@pytest.fixture(autouse=True)
def _small_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches, and in float32 chains without pooling, are left to torch as it is faster; here all are fused."""
    if kernels(half=False) is None:
        pytest.skip("this machine has no C compiler: torch's own layers are used")
    monkeypatch.setattr(fused, "_pays", lambda *_, **__: True)


def chain_of(name: str, channels: int) -> list[nn.Module]:
    torch.manual_seed(3)
    modules = CHAINS[name](channels)
    for module in modules:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)  # a half of the scales is negative
            nn.init.normal_(module.bias)
    return modules


def batch_of(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    torch.manual_seed(5)
    return (3 * torch.randn(shape) + 1).to(dtype).contiguous(memory_format=torch.channels_last).requires_grad_()


def one_by_one(modules: list[nn.Module], x: torch.Tensor) -> torch.Tensor:
    for module in modules:
        x = module(x)
    return x


def results_of(
    run: Callable[[list[nn.Module], torch.Tensor], torch.Tensor | None], modules: list[nn.Module], x: torch.Tensor
) -> dict[str, torch.Tensor]:
    out = run(modules, x)
    assert out is not None
    torch.manual_seed(7)
    torch.autograd.backward(out, torch.randn(out.shape).to(out.dtype))
    norm = next(module for module in modules if isinstance(module, nn.BatchNorm2d))
    found = {"out": out, "x": x.grad, "weight": norm.weight.grad, "bias": norm.bias.grad, **dict(norm.named_buffers())}
    return {key: value.detach().double() for key, value in found.items() if value is not None}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CHAINS)
def test_the_same_function_as_in_double_precision(name: str, shape: tuple[int, ...]) -> None:
    exact = results_of(one_by_one, [m.double() for m in chain_of(name, shape[1])], batch_of(shape, torch.float64))
    ours = results_of(run_chain, chain_of(name, shape[1]), batch_of(shape))
    for key, value in exact.items():
        torch.testing.assert_close(ours[key], value, rtol=2e-5, atol=2e-5, msg=key)


@pytest.mark.parametrize("name", CHAINS)
def test_in_bfloat16_as_near_to_the_truth_as_torch(name: str) -> None:
    shape = (4, 24, 9, 8)
    x = batch_of(shape, torch.bfloat16)
    exact = results_of(one_by_one, [m.double() for m in chain_of(name, 24)], x.detach().double().requires_grad_())
    ours = results_of(run_chain, chain_of(name, 24), batch_of(shape, torch.bfloat16))
    theirs = results_of(one_by_one, chain_of(name, 24), batch_of(shape, torch.bfloat16))
    for key, value in exact.items():
        far, torchs = (float((each[key] - value).norm()) for each in (ours, theirs))
        assert far <= 1.5 * torchs + 2e-3 * float(value.norm()), key


@pytest.mark.parametrize("name", CHAINS)
def test_of_equal_values_the_first_gets_the_gradient(name: str) -> None:
    x = batch_of((2, 16, 6, 6)).detach().round().requires_grad_()  # a few whole numbers: windows full of equals
    exact = results_of(one_by_one, [m.double() for m in chain_of(name, 16)], x.detach().double().requires_grad_())
    ours = results_of(run_chain, chain_of(name, 16), x)
    torch.testing.assert_close(ours["x"], exact["x"], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CHAINS)
def test_second_derivatives_go_through_torchs_layers(name: str) -> None:
    def curvature(run: Callable[..., torch.Tensor | None], dtype: torch.dtype) -> torch.Tensor:
        modules, x = [m.to(dtype) for m in chain_of(name, 16)], batch_of((2, 16, 4, 4), dtype)
        out = run(modules, x)
        assert out is not None
        (slope,) = torch.autograd.grad(out.pow(3).sum(), x, create_graph=True)  # of squares the sum is constant
        return torch.autograd.grad(slope.square().sum(), x)[0].double()

    expected = curvature(one_by_one, torch.float64)
    ours = curvature(run_chain, torch.float32)
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.modules.native._ENOUGH", 1)
    found, before = [], torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        try:
            found.append(results_of(run_chain, chain_of("rectifier, norm, pool", 24), batch_of((7, 24, 6, 6))))
        finally:
            torch.set_num_threads(before)
    assert all(torch.equal(each[key], found[0][key]) for each in found for key in each)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_stays_none(value: float) -> None:
    x = batch_of((2, 16, 4, 4)).detach()
    x[0, 3, 1, 1] = value
    out = run_chain(chain_of("rectifier, norm, pool", 16), x.requires_grad_())
    assert out is not None
    assert not bool(out[:, 3].isfinite().any())
    assert bool(out[:, 4].isfinite().all())


def left_to_torch(change: Callable[[list[nn.Module]], object], x: torch.Tensor | None = None) -> bool:
    modules = chain_of("rectifier, norm, pool", 16)
    change(modules)
    return run_chain(modules, batch_of((2, 16, 4, 4)) if x is None else x) is None


@pytest.mark.parametrize("how", ["one layer", "everywhere"])
def test_whoever_looks_at_a_layer_sees_it_run_and_changes_no_bit(how: str) -> None:
    name = "rectifier, norm, pool"
    unseen = results_of(run_chain, chain_of(name, 16), batch_of((2, 16, 4, 4)))
    modules, seen = chain_of(name, 16), []

    def look(module: nn.Module, _: object, out: torch.Tensor) -> None:
        seen.append((type(module).__name__, out))

    handles = [module.register_forward_hook(look) for module in modules]
    if how == "everywhere":
        for handle in handles:
            handle.remove()
        handles = [nn.modules.module.register_module_forward_hook(look)]
    try:
        watched = results_of(run_chain, modules, batch_of((2, 16, 4, 4)))
    finally:
        for handle in handles:
            handle.remove()
    assert [kind for kind, _ in seen] == ["ReLU", "BatchNorm2d", "MaxPool2d"]
    torch.testing.assert_close(seen[-1][1].double(), watched["out"], rtol=1e-5, atol=1e-5)
    assert all(torch.equal(unseen[key], watched[key]) for key in unseen)


def test_whoever_wants_a_layers_gradients_gets_torchs_layers() -> None:
    assert not left_to_torch(lambda _: None)
    assert left_to_torch(lambda modules: modules[1].register_full_backward_hook(lambda *_: None))


def test_other_layers_and_layouts_are_left_to_torch() -> None:
    assert left_to_torch(lambda modules: modules[1].eval())
    assert left_to_torch(lambda modules: modules.__setitem__(0, nn.GELU()))
    assert left_to_torch(lambda modules: modules.__setitem__(1, nn.GroupNorm(2, 16)))
    assert left_to_torch(lambda modules: modules.__setitem__(2, nn.MaxPool2d(3, 2)))
    assert left_to_torch(lambda _: None, torch.randn(2, 16, 4, 4))  # channels first
    assert left_to_torch(lambda _: None, batch_of((1, 16, 1, 1)))  # torch refuses it in its own words


def small_network() -> NetworkSpec:
    return network("plain", Shape(3, (16, 16)), 2).logits()[0]


def test_a_network_learns_the_same_with_its_layers_fused() -> None:
    def trained(*, fuses: bool) -> BuiltNetwork:
        module = build(small_network(), seed=1)
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        module.fuses = fuses
        module.dropout1 = nn.Identity()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.002)
        for step in range(3):
            torch.manual_seed(step)
            pixels = (255 * torch.rand(6, 3, 16, 16)).contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            module(pixels).square().mean().backward()
            optimizer.step()
        return module

    ours, theirs = trained(fuses=True), trained(fuses=False)
    for (name, one), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4, msg=name)
    assert sum(step.fusible for step in ours._steps) == 3


def test_evaluation_and_copies_run_layer_by_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    module = build(small_network(), seed=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module.fuses = True
    called = []
    monkeypatch.setattr("thalweg.modules.build.run_chain", lambda *_: called.append(1))
    x = torch.rand(2, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    copy.deepcopy(module).eval()(x)
    with torch.no_grad():
        module(x)
    assert called == []
    module(x)
    assert len(called) == 3


class Meeting:
    """Two threads that stand for ranks: each gives its rows, both get all."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=60)
        self.rows: dict[int, torch.Tensor] = {}


class Halves:
    """One rank's side of a meeting."""

    def __init__(self, meeting: Meeting, rank: int) -> None:
        self.meeting, self.rank, self.lies = meeting, rank, (2, 5)

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        self.meeting.rows[self.rank] = rows
        self.meeting.barrier.wait()
        every = torch.stack([self.meeting.rows[rank] for rank in range(2)])
        self.meeting.barrier.wait()
        return every


def on_two_ranks(name: str, x: torch.Tensor, gradient: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    meeting, found = Meeting(), [{}, {}]

    def work(rank: int) -> None:
        modules = chains[rank]
        spread_layers(nn.Sequential(*modules))
        norm = next(module for module in modules if isinstance(module, nn.BatchNorm2d))
        norm.spreads = True
        part = slice(0, 3) if rank == 0 else slice(3, 5)
        own = x.detach()[part].contiguous(memory_format=torch.channels_last).requires_grad_()
        fused.SPREAD.set(Halves(meeting, rank))
        out = run_chain(modules, own) if len(modules) > 1 else run_alone(norm, own)
        assert out is not None
        torch.autograd.backward(out, gradient[part])
        found[rank] = {"out": out.detach(), "x": own.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
        found[rank] |= {name: buffer.clone() for name, buffer in norm.named_buffers()}

    chains = [chain_of(name, x.shape[1]) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    return found


@pytest.mark.parametrize("name", CHAINS)
def test_a_batch_on_two_ranks_has_the_statistics_of_one_to_the_bit(name):
    x = batch_of((5, 16, 8, 6))
    modules = chain_of(name, 16)
    one = results_of(run_chain, modules, x)
    torch.manual_seed(7)
    gradient = torch.randn(one["out"].shape)
    two = on_two_ranks(name, x, gradient)
    for key in ("out", "x"):
        assert torch.equal(torch.cat([each[key] for each in two]).double(), one[key]), key
    for key in ("running_mean", "running_var"):
        assert all(torch.equal(each[key].double(), one[key]) for each in two), key
    for key in ("weight", "bias"):
        assert torch.allclose(sum(each[key].double() for each in two), one[key], rtol=1e-5, atol=1e-5), key


def test_a_normalisation_without_neighbours_is_that_of_the_whole_batch(monkeypatch):
    monkeypatch.setitem(CHAINS, "norm", lambda c: [nn.BatchNorm2d(c)])
    x = batch_of((5, 16, 8, 6))
    (norm,) = chain_of("norm", 16)
    one = results_of(lambda modules, values: modules[0](values), [norm], x)
    torch.manual_seed(7)
    two = on_two_ranks("norm", x, torch.randn(one["out"].shape))
    for key in ("out", "x"):
        assert torch.allclose(torch.cat([each[key] for each in two]).double(), one[key], rtol=1e-4, atol=1e-5), key
    for key in ("running_mean", "running_var"):
        assert torch.equal(two[0][key], two[1][key])
        assert torch.allclose(two[0][key].double(), one[key], rtol=1e-6, atol=1e-7), key


def test_among_ranks_a_kernel_always_pays_whatever_the_size_of_a_part(monkeypatch):
    monkeypatch.undo()
    x = torch.zeros(2, 16, 32, 32)
    assert not fused._pays(x, pool=False, spread=None)
    assert fused._pays(x[:1], pool=False, spread=Halves(Meeting(), 0))
