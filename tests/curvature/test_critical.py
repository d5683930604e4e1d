import pytest
import torch
from torch import nn

from thalweg.core.errors import PlanError
from thalweg.curvature.critical import critical_point

SURFACES = {
    "monkey saddle": (lambda x, y: x**3 - 3 * x * y**2, {(0, 0): "saddle", (1e-3, 1e-3): "saddle", (1, 1): "slope"}),
    "x^2 - y^2": (lambda x, y: x**2 - y**2, {(0, 0): "saddle", (1e-2, 1e-2): "saddle", (0.5, 0.5): "slope"}),
    "Rosenbrock": (
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        {(1, 1): "minimum", (1.0001, 1.0002): "minimum", (0.5, 0.25): "slope", (0, 0): "slope", (-1.2, 1): "slope"},
    ),
    "tanh": (lambda x, y: torch.tanh(x) + 0 * y, {(4, 0): "plateau", (20, 0): "plateau", (0, 0): "slope"}),
    "crater": (
        lambda x, y: 1 - torch.exp(-(x**2) - y**2),
        {(0, 0): "minimum", (3, 3): "plateau", (5, 5): "plateau", (10, 3): "plateau", (0.7, 0): "slope"},
    ),
    "x^4 + y^4": (lambda x, y: x**4 + y**4, {(0, 0): "minimum", (1e-3, 1e-3): "minimum", (0.5, 0.5): "slope"}),
    "x^4 - y^4": (lambda x, y: x**4 - y**4, {(0, 0): "saddle"}),
    "x^2 + y^3": (lambda x, y: x**2 + y**3, {(0, 0): "saddle"}),
    "Peano": (lambda x, y: (y - x**2) * (y - 3 * x**2), {(0, 0): "saddle"}),
    "floor": (lambda x, y: x**2 + 0 * y, {(0, 0): "minimum"}),
    "hill": (lambda x, y: -(x**2) - y**4, {(0, 0): "maximum"}),
    "constant": (lambda x, y: 0 * x * y + 2.3, {(0, 0): "plateau"}),
    "dead": (lambda x, y: torch.relu(x - 5) ** 2 + torch.relu(y - 5) ** 2, {(0, 0): "plateau"}),
    "two layers": (lambda x, y: (x * y - 1) ** 2, {(0, 0): "saddle", (1, 1): "minimum", (2, 0.5): "minimum"}),
    "uneven": (lambda x, y: 100 * x**2 - 0.1 * y**2, {(0, 0): "saddle"}),
    "Himmelblau": (
        lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
        {(3, 2): "minimum", (-0.270845, -0.923039): "maximum", (0.086678, 2.884255): "saddle"},
    ),
}
CASES = [(name, place, verdict) for name, (_, places) in SURFACES.items() for place, verdict in places.items()]


@pytest.mark.parametrize(("name", "place", "verdict"), CASES, ids=[f"{name} at {place}" for name, place, _ in CASES])
def test_every_surface_is_told_right(name, place, verdict):
    surface = SURFACES[name][0]
    point = torch.tensor(place, dtype=torch.float64, requires_grad=True)
    found = critical_point(lambda: surface(point[0], point[1]), [point])
    assert found.verdict == verdict, found.reason
    assert point.tolist() == list(place)
    assert 0.5 <= found.certainty <= 1
    assert len(found.evidence) >= 4


def test_the_floor_of_a_valley_is_called_one():
    point = torch.tensor([0.5, 0.25], dtype=torch.float64, requires_grad=True)
    found = critical_point(lambda: (1 - point[0]) ** 2 + 100 * (point[1] - point[0] ** 2) ** 2, [point])
    assert (found.verdict, found.shape) == ("slope", "valley")


@pytest.mark.parametrize(("depth", "sampled"), [(2, True), (2, False), (3, True), (4, False)])
def test_deep_linear_network_at_zero_is_a_saddle(pieces, depth, sampled):
    random = torch.Generator().manual_seed(0)
    module = nn.Sequential(*[nn.Linear(5, 5, bias=False) for _ in range(depth)])
    for weight in module.parameters():
        nn.init.zeros_(weight)
    inputs = torch.randn(128, 5, generator=random)
    losses = pieces(
        module, inputs, inputs @ torch.randn(5, 5, generator=random), 8 if sampled else 1, nn.functional.mse_loss
    )
    found = critical_point(losses, module.parameters())
    assert found.verdict == "saddle", found.reason
    assert (found.shape == "degenerate") == (depth > 2)
    assert all(float(weight.detach().abs().max()) == 0 for weight in module.parameters())


def _descend(module, inputs, labels, steps, rate):
    optimizer = torch.optim.SGD(module.parameters(), lr=rate, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs), labels).backward()
        optimizer.step()


def test_a_planted_saddle_of_identical_units_is_found(network, blobs, pieces):
    module = network(8)
    with torch.no_grad():
        module[0].weight.copy_(module[0].weight[:1].expand(8, -1))
        module[0].bias.fill_(0.1)
        module[2].weight.copy_(module[2].weight[:, :1].expand(-1, 8))
    start = critical_point(pieces(module, *blobs), module.parameters())
    assert start.verdict == "slope", start.reason
    _descend(module, *blobs, 500, 0.05)
    there = critical_point(pieces(module, *blobs), module.parameters())
    assert there.verdict == "saddle", there.reason
    assert there.measured["lowest_curvature_other_half"] < 0


def test_a_minimum_under_noise_is_one_and_few_samples_near_it_are_noisy(blobs, pieces):
    inputs, labels = blobs
    random = torch.Generator().manual_seed(3)
    wrong = torch.rand(512, generator=random) < 0.4
    labels = torch.where(wrong, torch.randint(6, (512,), generator=random), labels)
    module = nn.Linear(10, 6)
    with torch.no_grad():
        module.weight.zero_()
        module.bias.zero_()
    _descend(module, inputs, labels, 400, 0.3)
    found = critical_point(pieces(module, inputs, labels), module.parameters())
    assert found.verdict == "minimum", found.reason
    few = critical_point(pieces(module, inputs[:24], labels[:24]), module.parameters())
    assert few.verdict == "noisy", few.reason


def test_dead_units_are_a_plateau(blobs, pieces):
    inputs, labels = blobs
    module = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 6))
    with torch.no_grad():
        module[0].bias.fill_(-1000.0)
    _descend(module, inputs, labels, 200, 0.3)
    found = critical_point(pieces(module, inputs, labels), module.parameters())
    assert found.verdict == "plateau", found.reason
    assert "have no gradient" in found.shape


def test_what_is_left_of_a_loss_learned_by_heart_is_no_way_down():
    torch.manual_seed(0)
    x = torch.randn(32, 4)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))
    with torch.no_grad():
        network[2].weight.mul_(0.01)
        network[2].bias.fill_(-48)  # leaves a loss of 1e-21, and a gradient whose squares single floats lose
    losses = [lambda part=part: nn.functional.softplus(network(x[part])).mean() for part in torch.arange(32).split(8)]
    point = critical_point(losses, network.parameters(), reach=3.0)
    assert 0 < point.measured["loss"] < 1e-20
    assert (point.verdict, point.shape) == ("plateau", "flat")


def test_a_loss_that_is_not_finite_is_refused():
    point = torch.tensor([-1.0], requires_grad=True)
    with pytest.raises(PlanError, match="not finite"):
        critical_point(lambda: point.log().sum(), [point])
