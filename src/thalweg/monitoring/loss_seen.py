"""The loss, seen without the user's help.

Three ways, the surest first:

1. The network itself gives a scalar that the gradient comes from, or a loss module (any `torch.nn.Module` that makes a
   scalar) is called with the network's output.
2. The gradient G at the output z tells which loss it was, where the loss was a function:
       softmax cross-entropy   G = s (softmax(z) - y)
       sigmoid cross-entropy   G = s (sigmoid(z) - y)
       negative log likelihood of log-probabilities   G = -s y
       and of probabilities                           G = -s y / z
       squared error           G = s (z - y), only where y comes out as whole numbers
   The family is recognised when one s a row explains the row and y is a valid target. s also takes up class weights,
   the scale of mixed precision and the divisor of accumulated gradients.
3. Otherwise the loss is not known, and nothing is measured that needs it.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch.nn import functional
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.hooks import RemovableHandle

__all__ = [
    "LossModules",
    "Objective",
    "Recognised",
    "SeenCall",
    "detached",
    "float_leaves",
    "objective_of",
    "recognise",
]

Objective: TypeAlias = Callable[[object], torch.Tensor]
"""The loss as a function of what the network gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A loss told from its gradient.

    Args:
        family: Which loss.
        weight: Sum of the rows' scales: the share of this output in the whole loss, times the scale of mixed precision.
        loss: The loss as a function of this output, a weighted mean over the rows.
    """

    family: str
    weight: float
    loss: Callable[[torch.Tensor], torch.Tensor]


@dataclass(slots=True, eq=False)
class SeenCall:
    """What was seen of one call of the network.

    Args:
        output: What it gave, detached from the graph.
        gradients: The gradient at each of its floating-point tensors, by number.
        modules: The losses that modules made of them.
        values: Their values.
        told: The loss, where the user's loop said it.
    """

    output: object
    gradients: dict[int, torch.Tensor] = field(default_factory=dict)
    modules: list[Objective] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)
    told: Objective | None = None
    _versions: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._versions = [each._version for each in self.outputs]  # noqa: SLF001

    @property
    def outputs(self) -> list[torch.Tensor]:
        """Its floating-point tensors."""
        return float_leaves(self.output)

    @property
    def whole(self) -> bool:
        """Whether nobody has written into the outputs since."""
        return [each._version for each in self.outputs] == self._versions  # noqa: SLF001

    def forget(self) -> None:
        """Let go of outputs and gradients, once the loss is known."""
        self.output, self.gradients, self._versions = [], {}, []


def detached(output: object) -> object:
    """Copy the structure of an output with every tensor detached, so that it keeps no graph alive.

    Args:
        output: What a network gave.

    Returns:
        The same structure; plain objects become the list of their tensors.
    """
    if _is_plain_object(output):
        return [leaf.detach() for leaf in float_leaves(output)]
    return tree_map(lambda leaf: leaf.detach() if isinstance(leaf, torch.Tensor) else None, output)


def _is_plain_object(output: object) -> bool:
    leaves = tree_leaves(output)
    return len(leaves) == 1 and not isinstance(leaves[0], torch.Tensor) and hasattr(leaves[0], "__dict__")


def float_leaves(output: object) -> list[torch.Tensor]:
    """List the tensors of an output, whatever holds them, that a gradient can come back from.

    Args:
        output: What a network gave: a tensor, or tuples, lists and dicts of them.

    Returns:
        Its floating-point tensors in a fixed order.
    """
    leaves = tree_leaves(output)
    if _is_plain_object(output):
        leaves = tree_leaves(dict(vars(leaves[0])))
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def objective_of(seen: SeenCall) -> Objective | None:
    """Find the loss that a call was followed by.

    Args:
        seen: What was seen of it.

    Returns:
        The loss as a function of the network's output, or None.
    """
    if seen.told is not None:
        return seen.told
    outputs = seen.outputs
    for number in seen.gradients:
        if outputs[number].dim() == 0:  # the network computed its loss itself
            return _leaf(number)
    if seen.modules:
        calls = list(seen.modules)
        return lambda output: torch.stack([call(output) for call in calls]).sum()
    if not seen.gradients or not seen.whole:
        return None
    parts: list[tuple[int, Recognised]] = []
    for number, gradient in seen.gradients.items():
        found = recognise(outputs[number], gradient)
        if found is not None:  # an output that is none may lie on the way to another, as features do
            parts.append((number, found))
    if not parts:
        return None
    heaviest = max(part.weight for _, part in parts)
    return lambda output: torch.stack([
        part.loss(float_leaves(output)[number]) * (part.weight / heaviest) for number, part in parts
    ]).sum()


def _leaf(number: int) -> Objective:
    return lambda output: float_leaves(output)[number]


class LossModules:
    """Catches the loss module that is called with the network's output, between forward and backward pass.

    The hook is global, but only there from the end of the network's forward pass until the loss is found, so that the
    network's own layers run as fast as ever.

    Args:
        leaves: The outputs, attached to the graph.
        seen: Where to put what is found.
    """

    def __init__(self, leaves: list[torch.Tensor], seen: SeenCall) -> None:
        self.leaves = [weakref.ref(leaf) for leaf in leaves]
        self.seen = seen
        self.handle: RemovableHandle | None = torch.nn.modules.module.register_module_forward_hook(
            self._after, with_kwargs=True
        )

    def stop(self) -> None:
        """Look no longer."""
        if self.handle is not None:
            self.handle.remove()
            self.handle = None

    def _after(
        self, module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object], result: object
    ) -> None:
        try:
            self._look(module, args, kwargs, result)
        except Exception:  # noqa: BLE001 - inside the user's training: whatever it is, the loss is then not seen here
            self.stop()

    def _look(
        self, module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object], result: object
    ) -> None:
        if not (isinstance(result, torch.Tensor) and result.dim() == 0 and result.requires_grad):
            return
        leaves = [leaf() for leaf in self.leaves]
        places = {place: number for place, value in enumerate(args) for number in _places(value, leaves)}
        names = {name: number for name, value in kwargs.items() for number in _places(value, leaves)}
        if not places and not names:
            return
        fixed_args = [_held(value) for value in args]
        fixed_kwargs = {name: _held(value) for name, value in kwargs.items()}
        given: list[tuple[int | str, object]] = [*enumerate(args), *kwargs.items()]
        shapes = {key: value.shape for key, value in given if isinstance(value, torch.Tensor)}

        def objective(output: object) -> torch.Tensor:
            now = float_leaves(output)
            for place, number in places.items():
                fixed_args[place] = now[number].reshape(shapes[place])
            for name, number in names.items():
                fixed_kwargs[name] = now[number].reshape(shapes[name])
            try:
                value: torch.Tensor = module(*fixed_args, **fixed_kwargs)
            finally:  # keep no graph alive
                for place in places:
                    fixed_args[place] = None
                for name in names:
                    fixed_kwargs[name] = None
            return value

        self.seen.modules.append(objective)
        self.seen.values.append(result.detach())


def _held(value: object) -> object:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _places(value: object, leaves: list[torch.Tensor | None]) -> list[int]:
    """Which output an argument is: the same tensor, or one seen through another shape."""
    if not isinstance(value, torch.Tensor):
        return []
    for number, leaf in enumerate(leaves):
        same = leaf is not None and (
            value is leaf
            or (value.numel() == leaf.numel() and value.dtype == leaf.dtype and value.data_ptr() == leaf.data_ptr())
        )
        if same:
            return [number]
    return []


# The gradient tells -----------------------------------------------------------------------------------------------


def recognise(output: torch.Tensor, gradient: torch.Tensor) -> Recognised | None:
    """Tell the loss from the gradient at an output.

    Args:
        output: What the network gave.
        gradient: The gradient of the loss there.

    Returns:
        The loss, or None where no family explains the gradient.

    Example:
        >>> z = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]], requires_grad=True)
        >>> loss = functional.cross_entropy(z, torch.tensor([0, 2]), label_smoothing=0.1)
        >>> (gradient,) = torch.autograd.grad(loss, z)
        >>> found = recognise(z.detach(), 1024 * gradient)
        >>> found.family, round(float(found.loss(z.detach()) / loss.detach()), 5)
        ('softmax cross-entropy', 1.0)
    """
    if output.shape != gradient.shape or output.dim() == 0 or output.numel() == 0:
        return None
    tolerance = max(1e-4, 4 * max(torch.finfo(output.dtype).eps, torch.finfo(gradient.dtype).eps))
    z, g = output.detach().double(), gradient.detach().double()
    if not bool(z.isfinite().all() and g.isfinite().all()) or not bool(g.any()):
        return None
    g = g / g.abs().max()
    scale = float(gradient.detach().abs().max().double())
    axes = [1] if z.dim() == 2 else [1, z.dim() - 1] if z.dim() > 2 else []  # noqa: PLR2004 - rows and columns
    for axis in axes:
        if z.shape[axis] == 1:
            continue
        for family, find in _BY_ROW.items():
            found = find(_rows(z, axis), _rows(g, axis), tolerance)
            if found is not None:
                return _by_row(family, axis, *found, scale)
    for family, find in _BY_VALUE.items():
        found = find(z.flatten(), g.flatten(), tolerance)
        if found is not None:
            return _by_value(family, *found, scale)
    return None


def _rows(tensor: torch.Tensor, axis: int) -> torch.Tensor:
    return tensor.movedim(axis, -1).reshape(-1, tensor.shape[axis])


_FEW = 4
"""Fewer rows are explained by almost any loss."""

Found: TypeAlias = "tuple[torch.Tensor, torch.Tensor] | None"
"""Target and scale, a row or a value each."""


def _softmax(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (p - y) with p = softmax(z): hard targets first, then targets with one constant beside the label."""
    if float(g.sum(dim=1).abs().max()) > tolerance * float(g.abs().sum(dim=1).max()):
        return None
    p = torch.softmax(z, dim=1)
    live = g.abs().amax(dim=1) > 0
    label = torch.where(g.amin(dim=1) < 0, g.argmin(dim=1), p.argmax(dim=1))
    hard = functional.one_hot(label, z.shape[1]).double()
    others = 1 - hard
    scale = (g * p * others).sum(dim=1) / (p * p * others).sum(dim=1).clamp_min(1e-30)
    typical = scale[live].median()
    scale = torch.where((p * others).amax(dim=1) < tolerance, typical, scale)  # so sure that the row tells no scale
    scale = torch.where(live, scale, torch.zeros_like(scale))
    if _explains(g, scale[:, None] * (p - hard), scale, tolerance):
        return (hard, scale) if z.shape[1] > 2 or _one_a_label(label[live], scale[live], tolerance) else None  # noqa: PLR2004
    return _smoothed(p, g, live, tolerance) if z.shape[1] > 2 else None  # noqa: PLR2004


def _one_a_label(label: torch.Tensor, scale: torch.Tensor, tolerance: float) -> bool:
    """Of two classes any row is explained by a scale of its own, so rows must share theirs, class weights apart."""
    if len(label) < _FEW:
        return False
    spreads = [scale[label == each].max() - scale[label == each].min() for each in torch.unique(label)]
    return float(max(spreads)) <= 10 * tolerance * float(scale.max())


def _smoothed(p: torch.Tensor, g: torch.Tensor, live: torch.Tensor, tolerance: float) -> Found:
    """Label smoothing and mixed labels: most classes share one target c, so g_i - g_j = s (p_i - p_j) among them."""
    dp = torch.cat([p - p.roll(shift, 1) for shift in (1, 2)])
    dg = torch.cat([g - g.roll(shift, 1) for shift in (1, 2)])
    clear = (dp.abs() > max(1e-3, 10 * tolerance) * p.max()) & live.repeat(2)[:, None]
    slopes = (dg[clear] / dp[clear]).sort().values
    slopes = slopes[slopes > 0]
    if len(slopes) < _FEW:
        return None
    wide = 1 + 20 * tolerance
    members = torch.searchsorted(slopes, slopes * wide, right=True) - torch.arange(len(slopes), device=slopes.device)
    first, number = int(members.argmax()), int(members.max())
    if number < max(_FEW, len(slopes) // 5):
        return None
    common = slopes[first : first + number].median()
    target = torch.where(live[:, None], p - g / common, p)
    if float(target.min()) < -50 * tolerance or float(target.max()) > 1 + 50 * tolerance:
        return None
    return target.clamp(0, 1), torch.where(live, common, torch.zeros_like(common))


def _log_likelihood(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = -s y where exp(z) sums to 1: the network ends in a log-softmax."""
    if float((z.exp().sum(dim=1) - 1).abs().max()) > tolerance or float(g.max()) > 0:
        return None
    scale = -g.sum(dim=1)
    return (-g / scale.clamp_min(1e-30)[:, None], scale) if bool((scale >= 0).all()) else None


def _likelihood(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = -s y / z where z sums to 1: the network ends in a softmax, and the logarithm is taken outside."""
    if float((z.sum(dim=1) - 1).abs().max()) > tolerance or float(z.min()) < 0 or float(g.max()) > 0:
        return None
    return _log_likelihood(z.clamp_min(1e-30).log(), g * z, tolerance)


def _sigmoid(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (p - y) with p = sigmoid(z), y 0 or 1, and a scale for either (positive weights)."""
    if z.numel() < _FEW:
        return None
    p = torch.sigmoid(z)
    target = (g < 0).double()
    off = p - target
    scale = torch.zeros_like(g)
    for side in (target == 1, target == 0):
        if bool(side.any()):
            scale[side] = (g[side] * off[side]).sum() / (off[side] ** 2).sum().clamp_min(1e-30)
    return (target, scale) if _explains(g, scale * off, scale, tolerance) else None


def _probability(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (z - y) / (z (1 - z)) with z in (0, 1): the network ends in a sigmoid."""
    if float(z.min()) <= 0 or float(z.max()) >= 1:
        return None
    return _sigmoid(torch.logit(z), g * z * (1 - z), tolerance)


def _squared(z: torch.Tensor, g: torch.Tensor, tolerance: float) -> Found:
    """G = s (z - y) where one s makes every target a whole number: any other target would fit any s."""
    if z.numel() < 8:  # noqa: PLR2004 - a few numbers come out whole by chance
        return None
    order = g.abs().argsort(descending=True)
    first, second = order[0], order[-1]
    candidates = [
        (z[a] - low).item() and float(g[a] / (z[a] - low))
        for a in (first, order[1], second)
        for low in (0.0, 1.0, -1.0)
    ]
    for scale in sorted({each for each in candidates if each > 0}, reverse=True):
        target = z - g / scale
        whole = target.round()
        if float((target - whole).abs().max()) < 10 * tolerance and float(whole.abs().max()) < 1e4:  # noqa: PLR2004
            return whole, torch.full_like(g, scale)
    return None


_BY_ROW = {
    "softmax cross-entropy": _softmax,
    "negative log likelihood": _log_likelihood,
    "log of probabilities": _likelihood,
}
_BY_VALUE = {
    "sigmoid cross-entropy": _sigmoid,
    "cross-entropy of probabilities": _probability,
    "squared error": _squared,
}


def _explains(g: torch.Tensor, wanted: torch.Tensor, scale: torch.Tensor, tolerance: float) -> bool:
    if not bool((scale >= 0).all()) or not bool((scale > 0).any()):
        return False
    return float((g - wanted).abs().max()) <= 5 * tolerance * float(scale.max())


def _by_row(family: str, axis: int, target: torch.Tensor, scale: torch.Tensor, unit: float) -> Recognised:
    total = float(scale.sum())

    def loss(output: torch.Tensor) -> torch.Tensor:
        rows = output.movedim(axis, -1).reshape(-1, output.shape[axis]).float()
        if family == "softmax cross-entropy":
            rows = torch.log_softmax(rows, dim=1)
        elif family == "log of probabilities":
            rows = rows.clamp_min(1e-30).log()
        y, weights = target.to(rows), scale.to(rows)
        return -((y * rows).sum(dim=1) * weights).sum() / total

    return Recognised(family=family, weight=total * unit, loss=loss)


def _by_value(family: str, target: torch.Tensor, scale: torch.Tensor, unit: float) -> Recognised:
    total = float(scale.sum())

    def loss(output: torch.Tensor) -> torch.Tensor:
        values = output.flatten().float()
        y, weights = target.to(values), scale.to(values)
        if family == "squared error":
            each = (values - y) ** 2
        elif family == "sigmoid cross-entropy":
            each = functional.binary_cross_entropy_with_logits(values, y, reduction="none")
        else:
            each = functional.binary_cross_entropy(values, y, reduction="none")
        return (each * weights).sum() / total

    return Recognised(family=family, weight=total * unit, loss=loss)
