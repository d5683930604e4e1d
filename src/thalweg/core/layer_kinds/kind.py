"""What a kind of layer is: its settings, how many values it reads, and the shape it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.layer_kinds.settings import REQUIRED, SettingForm
from thalweg.core.network_spec import Setting
from thalweg.core.shape import Shape

__all__ = ["Inference", "LayerKind", "same_shape"]

Inference: TypeAlias = Callable[[Mapping[str, Setting], tuple[Shape, ...]], Shape]


def same_shape(settings: Mapping[str, Setting], shapes: tuple[Shape, ...]) -> Shape:
    """The shape rule of layers that keep every position, such as activations.

    Args:
        settings: The layer's settings.
        shapes: The shape it reads.

    Returns:
        The same shape.
    """
    del settings
    return shapes[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerKind:
    """One kind of layer.

    Args:
        name: What `LayerSpec.kind` says, such as `conv2d`.
        stem: What automatic layer names begin with, such as `conv` for `conv1`, `conv2`.
        settings: Form and default of every allowed setting, in PyTorch's words and order.
        axes: Spatial axes its input must have; None when any number will do.
        least_inputs: Fewest values it reads.
        most_inputs: Most values it reads; None when there is no limit.
        weighted: Whether it has weights (which two layers may share) or running statistics.
        traced: Whether only tracing makes it, from a step of somebody's module; nothing builds it.
        infer: Computes the output shape from complete settings and the input shapes.
    """

    name: str
    stem: str
    settings: Mapping[str, SettingForm] = field(default_factory=dict)
    axes: int | None = None
    least_inputs: int = 1
    most_inputs: int | None = 1
    weighted: bool = False
    traced: bool = False
    infer: Inference = same_shape

    def complete(self, given: Mapping[str, Setting]) -> dict[str, Setting]:
        """Check settings and add the defaults.

        Args:
            given: What the layer says.

        Returns:
            Every setting of the kind, in its order.

        Raises:
            SpecError: A setting is unknown, missing or out of range.
        """
        for name, value in given.items():
            if name not in self.settings:
                known = ", ".join(self.settings) or "none"
                raise SpecError(f"unknown setting {name!r}; {self.name} knows {known}")
            self.settings[name].check(value, name, self.axes)
        complete = {name: given.get(name, form.default) for name, form in self.settings.items()}
        for name, value in complete.items():
            if value == REQUIRED:
                raise SpecError(f"setting {name!r} is missing")
        return complete

    def check_inputs(self, shapes: tuple[Shape, ...]) -> None:
        """Refuse a wrong number of inputs or a wrong number of spatial axes.

        Args:
            shapes: The shapes the layer reads.

        Raises:
            SpecError: The layer reads too few or too many values.
            ShapeError: A value has the wrong number of spatial axes.
        """
        few, many = self.least_inputs, self.most_inputs
        if len(shapes) < few or (many is not None and len(shapes) > many):
            wanted = str(few) if few == many else f"{few} or more" if many is None else f"{few} to {many}"
            raise SpecError(f"reads {len(shapes)} values; {wanted} wanted")
        for shape in shapes:
            if self.axes is not None and shape.axes != self.axes:
                if not shape.axes:
                    raise ShapeError(
                        f"reads {shape}, which has no spatial axes any more; put it before flatten and global pooling"
                    )
                raise ShapeError(
                    f"reads {shape}, which has {shape.axes} spatial axes; {self.axes} wanted: "
                    "take the layer whose name ends in 1d, 2d or 3d accordingly, or another input"
                )
