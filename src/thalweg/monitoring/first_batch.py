"""A passenger that looks at the first batch only, notes the facts of the network, and takes its hooks away again.

It sees in which order the layers are called, what goes in and comes out, and which loss follows: a loss module by its
class, a function by the gradient G at the network's output z,

    negative log likelihood   G = -s y, one entry a row
    absolute error            G = s sign(z - y), every entry of one size
    log of probabilities that are brought to a sum of one first, as Keras does
                              G = s (1 - y / z)
    others                    as `loss_family` recognises them.
"""

import weakref
from collections.abc import Callable, Mapping

import torch
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from thalweg.core.network_facts import NetworkFacts
from thalweg.modules.numbers import wide
from thalweg.monitoring.facts import LOSSES, first_tensor, network_facts, output_form, target_kind
from thalweg.monitoring.loss_family import recognise
from thalweg.monitoring.loss_seen import take_away
from thalweg.monitoring.moment import Moment
from thalweg.monitoring.weak_hook import WeakHook

__all__ = ["FirstBatch", "loss_from_gradient"]

_FAMILIES = {
    "softmax cross-entropy": "cross_entropy",
    "negative log likelihood": "nll",
    "log of probabilities": "log_of_probabilities",
    "sigmoid cross-entropy": "binary_cross_entropy_with_logits",
    "cross-entropy of probabilities": "binary_cross_entropy",
    "squared error": "mean_squared_error",
}
_SAME = 1e-3  # of the largest: entries this near are one size


class FirstBatch:
    """Notes the facts of a network from its first batch.

    Args:
        module: The network itself, without wrappers.
        follow: Whether to note in which order layers are called; not where the network is compiled, whose layers
            must keep no hooks.
        take: Called once with the facts.
        ranks: How many processes share each update.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        *,
        follow: bool = True,
        take: Callable[[NetworkFacts], None] | None = None,
        ranks: int = 1,
    ) -> None:
        self.facts: NetworkFacts | None = None
        self._take, self._ranks = take, ranks
        self._order: list[str] = []
        self._inputs: torch.Tensor | None = None
        self._outputs: torch.Tensor | None = None
        self._alive: torch.Tensor | None = None
        self._gradient: torch.Tensor | None = None
        self._targets: torch.Tensor | None = None
        self._loss = ""
        self._handles: list[RemovableHandle] = [
            module.register_forward_hook(WeakHook(weakref.ref(self), "_after_forward"), with_kwargs=True),
        ]
        self._listening: RemovableHandle | None = None
        if follow:
            for name, leaf in module.named_modules():
                if name and not list(leaf.children()):
                    self._handles.append(leaf.register_forward_hook(WeakHook(weakref.ref(self), "_after_leaf", name)))

    def close(self) -> None:
        """Take every hook away and let go of tensors."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._listen_no_more()
        self._inputs = self._outputs = self._alive = self._gradient = self._targets = None

    def before_update(self, moment: Moment) -> None:
        """Read the facts before the first update, while the weights are as they were made.

        Args:
            moment: The update to come.
        """
        if not self._handles:
            return
        loss, targets = self._loss, self._targets
        if not loss and self._outputs is not None and self._gradient is not None:
            loss, targets = loss_from_gradient(self._outputs, self._gradient)
        self.facts = network_facts(
            moment.module,
            moment.optimizer,
            order=self._order,
            inputs=self._inputs,
            outputs=self._outputs,
            targets=targets,
            loss=loss,
            ranks=self._ranks,
        )
        self.close()
        if self._take is not None:
            self._take(self.facts)

    def after_update(self, moment: Moment) -> None:
        """Nothing is left to do.

        Args:
            moment: The update that happened.
        """

    def state(self) -> Mapping[str, object]:
        """Facts are read anew after a checkpoint.

        Returns:
            Nothing.
        """
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        """Nothing to restore.

        Args:
            state: What `state` gave.
        """

    # Hooks --------------------------------------------------------------------------------------------------------

    def _after_leaf(self, name: str, *_: object) -> None:
        self._order.append(name)

    def _after_forward(
        self, _: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object], output: object
    ) -> None:
        if not torch.is_grad_enabled() or self._outputs is not None:
            return
        found = first_tensor(output)
        if found is None or not found.requires_grad:
            self._order.clear()  # a trial run without a gradient is no training
            return
        first = first_tensor([*args, *kwargs.values()])
        self._inputs = None if first is None else first.detach()
        self._outputs, self._alive = found.detach(), found
        found.register_hook(WeakHook(weakref.ref(self), "_note_gradient"))  # type: ignore[no-untyped-call]
        # Only from here on: torch compiles no network without a warning while such a hook is there.
        self._listening = torch.nn.modules.module.register_module_forward_hook(
            WeakHook(weakref.ref(self), "_after_any"), with_kwargs=True
        )
        weakref.finalize(self, take_away, self._listening)  # a loop that ends before the gradient comes back

    def _note_gradient(self, gradient: torch.Tensor) -> None:
        if self._gradient is None:
            self._gradient = gradient.detach()
        self._alive = None
        self._listen_no_more()

    def _listen_no_more(self) -> None:
        if self._listening is not None:
            take_away(self._listening)
            self._listening = None

    def _after_any(
        self, module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object], *results: object
    ) -> None:
        if self._alive is None or self._loss or not results:
            return  # taken away while torch goes through its hooks, it gets no kwargs
        (result,) = results
        name = LOSSES.get(type(module).__name__, "")
        given = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
        if name and len(given) >= 2 and isinstance(result, torch.Tensor):  # noqa: PLR2004 - output and label
            self._loss, self._targets = name, given[1].detach()


def loss_from_gradient(outputs: torch.Tensor, gradient: torch.Tensor) -> tuple[str, torch.Tensor | None]:  # noqa: C901, PLR0911
    """Name a loss by the gradient at the network's output.

    Args:
        outputs: What the network gave.
        gradient: The gradient there.

    Returns:
        A name as in `LOSSES`, empty where nothing explains the gradient; and the labels, where they can be told.

    Example:
        >>> z = torch.randn(8, 3, requires_grad=True)
        >>> loss = torch.nn.functional.nll_loss(z, torch.tensor([0, 1, 2, 0, 1, 2, 0, 1]))
        >>> loss_from_gradient(z.detach(), torch.autograd.grad(loss, z)[0])[0]
        'nll'
    """
    if outputs.shape != gradient.shape or outputs.ndim < 1 or outputs.numel() < 8:  # noqa: PLR2004 - chance
        return "", None
    g = wide(gradient)
    if not bool(g.isfinite().all()):
        return "", None
    large = float(g.abs().max())
    if outputs.ndim == 2 and outputs.shape[1] == 1 and large == 0:  # noqa: PLR2004 - rows and columns
        return "cross_entropy", None  # the softmax of a single number is 1 whatever it is: no gradient at all
    if large == 0:
        return "", None
    rest = (g.abs() > _SAME * large).sum(1) if outputs.ndim == 2 and outputs.shape[1] > 1 else None  # noqa: PLR2004
    if rest is not None and bool((rest == 1).all()) and float(g.max()) <= 0 and float(g.min(1).values.max()) < 0:
        spread = float(g.min(1).values.max() / g.min(1).values.min())
        if spread > 1 - _SAME:
            return "nll", g.argmin(1)
    if bool((g.abs() > (1 - _SAME) * large).all()):
        return "mean_absolute_error", None
    if rest is not None and _normalised_likelihood(wide(outputs), g / large):
        return "log_of_probabilities", g.argmin(1)
    found = recognise(outputs, gradient)
    if found is None:
        return "", None
    name = _FAMILIES.get(found.family, found.family)
    if name == "cross_entropy" and outputs.ndim == 2 and _squared_rather(wide(outputs), g):  # noqa: PLR2004
        return "mean_squared_error", functional.one_hot(g.argmin(1), outputs.shape[1]).float()
    return name, _labels(name, wide(outputs), g, found.weight)


def _normalised_likelihood(z: torch.Tensor, g: torch.Tensor) -> bool:
    """Whether G = s (1 - y / z): one size beside the label, and no component along z."""
    if output_form(z) != "probabilities":
        return False
    labels = functional.one_hot(g.argmin(1), z.shape[1]).to(z.dtype)
    others = 1 - labels
    level = (g * others).sum(1, keepdim=True) / others.sum(1, keepdim=True)
    even = float(((g - level) * others).abs().max()) < _SAME and bool((level > 0).all())
    return even and float((z * g).sum(1).abs().max()) < _SAME * float(g.abs().max())


def _squared_rather(z: torch.Tensor, g: torch.Tensor) -> bool:
    """Whether s (z - y) explains the gradient better than s (softmax(z) - y), where the outputs fit both."""
    if output_form(z) != "probabilities":
        return False
    labels = functional.one_hot(g.argmin(1), z.shape[1]).to(z.dtype)

    def misfit(p: torch.Tensor) -> float:
        off = p - labels
        return float((g - off * ((g * off).sum() / (off * off).sum())).norm())

    return misfit(z) < misfit(torch.softmax(z, 1))


def _labels(name: str, z: torch.Tensor, g: torch.Tensor, weight: float) -> torch.Tensor | None:
    """Labels that the gradient gives away."""
    if name in {"cross_entropy", "nll", "log_of_probabilities"} and z.ndim == 2:  # noqa: PLR2004 - rows and columns
        return g.argmin(1)
    if name == "mean_squared_error":
        labels = (z - g * (z.numel() / weight)).round().float()
        return labels if target_kind(labels) else None
    return (g < 0).float() if name.startswith("binary") else None
