"""What is known of a network before it learns: its layers in depth order, its head, its loss, its optimizer.

A signal says what a number did; these facts say whose number it was. They are read once, from the first batch that a
watched network sees, and they are plain values: rules in `diagnosis` read them without loading torch.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["LayerFacts", "NetworkFacts", "OutputForm", "TargetKind"]

OutputForm: TypeAlias = Literal["", "probabilities", "log_probabilities", "unit_interval", "non_negative", "scores"]
TargetKind: TypeAlias = Literal["", "classes", "one_hot", "binary", "numbers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One layer that was called.

    Args:
        name: As in `named_modules()`.
        kind: Its class, such as `Conv2d`.
        activation: The activation that follows it before the next weights, such as `relu`; empty where none is a
            module (it may still be a function).
        parameters: Number of its own weights and biases.
        trainable: Whether any of them asks for a gradient.
        optimised: Whether any of them is in the optimizer.
        fresh: Whether its weights lie as an initialisation leaves them; None where that cannot be told.
        gain: Spread of its weights times the root of its fan-in: about 0.58 as torch leaves it, 1 after Glorot or
            LeCun, 1.4 after He; None without weights.
        training: Whether the layer was in training mode, which decides whose statistics a normalisation uses.
        spread: Whether these are statistics of all processes that share an update, not of its own part of the batch.
    """

    name: str
    kind: str
    activation: str = ""
    parameters: int = 0
    trainable: bool = False
    optimised: bool = False
    fresh: bool | None = None
    gain: float | None = None
    training: bool = True
    spread: bool = False

    @property
    def normalises(self) -> bool:
        """Whether the layer brings its input to a scale of its own."""
        return "Norm" in self.kind

    @property
    def batch_normalises(self) -> bool:
        """Whether it does so with the statistics of the batch."""
        return "BatchNorm" in self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """One network with its loss and its optimizer, as the first batch met them.

    Args:
        layers: Called layers in the order in which data passes them, leaves of the module tree only.
        loss: `cross_entropy` (of scores), `nll`, `log_of_probabilities` (cross-entropy of what is a probability),
            `binary_cross_entropy` (of probabilities), `binary_cross_entropy_with_logits`, `mean_squared_error`,
            `mean_absolute_error`, another class's name, or empty where nobody saw it.
        outputs: Width of the output, such as 10; None where it is no batch of vectors.
        output_activation: Last activation before the loss, where it is a module: `softmax`, `sigmoid`, `relu`, ...
        output_form: What the first outputs look like: `probabilities` (rows sum to 1), `log_probabilities`,
            `unit_interval`, `non_negative`, `scores`; empty where unknown.
        targets: `classes` (whole numbers), `one_hot`, `binary` (0 and 1), `numbers`; empty where unknown.
        classes: Number of classes, as far as targets or outputs tell.
        batch_size: Samples of the first update, over all processes that share it.
        ranks: Those processes.
        optimizer: Class of the optimizer.
        learning_rate: Its largest rate when the watch began.
        momentum: Its momentum, or first beta.
        weight_decay: Its largest weight decay.
        decoupled_decay: Whether weights decay beside the gradient, as in AdamW.
        input_kind: `real`, or `whole` for indices of an embedding.
    """

    layers: tuple[LayerFacts, ...] = ()
    loss: str = ""
    outputs: int | None = None
    output_activation: str = ""
    output_form: OutputForm = ""
    targets: TargetKind = ""
    classes: int | None = None
    batch_size: int | None = None
    ranks: int = 1
    optimizer: str = ""
    learning_rate: float | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    decoupled_decay: bool = False
    input_kind: Literal["real", "whole"] = "real"

    @property
    def weighted(self) -> tuple[LayerFacts, ...]:
        """Layers with weights that are no normalisation, in depth order.

        Example:
            >>> facts = NetworkFacts(layers=(LayerFacts(name="0", kind="Linear", parameters=6),
            ...                              LayerFacts(name="1", kind="BatchNorm1d", parameters=4)))
            >>> [layer.name for layer in facts.weighted]
            ['0']
        """
        return tuple(layer for layer in self.layers if layer.parameters and not layer.normalises)

    def samples(self, layer: LayerFacts) -> int | None:
        """How many samples a layer's statistics are taken of.

        Args:
            layer: One that normalises by the batch.

        Returns:
            The batch, or one process's part of it; None where the batch is not known.

        Example:
            >>> facts = NetworkFacts(batch_size=8, ranks=4)
            >>> facts.samples(LayerFacts(name="n", kind="BatchNorm2d"))
            2
            >>> facts.samples(LayerFacts(name="n", kind="SyncBatchNorm", spread=True))
            8
        """
        whole = self.batch_size
        return whole if whole is None or layer.spread else -(-whole // self.ranks)

    def layer(self, name: str) -> LayerFacts | None:
        """Find a layer.

        Args:
            name: As in `named_modules()`.

        Returns:
            The layer, or None where none is called that.
        """
        return next((layer for layer in self.layers if layer.name == name), None)
