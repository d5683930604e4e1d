"""`thalweg derive`: a convolution on paper, a case in a file, or a layer of a network; told apart here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.workbench.deriving.files import is_case_file, read_answer, read_case

if TYPE_CHECKING:
    from torch import nn

    from thalweg.core.dependence import Dependence
    from thalweg.core.derivation import Derivation
    from thalweg.core.network_spec import NetworkSpec
    from thalweg.workbench.describing.describing import InputSizes

__all__ = ["derive"]

_OF_LAYERS = ("at", "input", "classes")


@overload
def derive(
    what: str | Path | None = ..., *, layer: None = ..., x: object = ..., f: object = ..., bias: object = ...,
    stride: int | str | Sequence[int] | None = ..., padding: int | str | Sequence[int] | None = ...,
    dilation: int | str | Sequence[int] | None = ..., groups: int | None = ..., head: str | Sequence[str] | None = ...,
    prove: bool | None = ..., check: object = ...,
) -> "Derivation": ...  # fmt: skip


@overload
def derive(
    what: "str | Path | NetworkSpec | nn.Module | None" = ..., *, layer: str, at: str | Sequence[int] | None = ...,
    input: "InputSizes" = ..., classes: int | None = ...,
) -> "Dependence": ...  # fmt: skip


def derive(what: Any = None, **options: Any) -> "Derivation | Dependence":
    """Derive the gradients of a convolution on paper, or explain one output of a layer.

    Args:
        what: `conv1d`, `conv2d` or `conv3d`; a YAML or JSON file with the options; or with `layer` a network, as for
            `count`, whose weights are read too where it is a run folder.
        **options: `x`, `f`, `bias`, `stride`, `padding`, `dilation`, `groups`, `head`, `prove`, `check` of a
            convolution; `layer`, `at`, `input`, `classes` of a network. What stands here goes before what a file says.

    Returns:
        The derivation, or what the output depends on.

    Raises:
        PlanError: An option is missing, unknown, out of range, or goes with the other use.
        SpecError: A tensor, file, head, answer or layer cannot be read or found.
        ShapeError: Sizes do not fit.

    Example:
        >>> derive("conv2d", x="3x3", f="2x2", head="c*sum").dO_dx[1][1]
        'c*(f1 + f2 + f3 + f4)'
        >>> derive("lenet", layer="conv1", at="0,3,5").products
        25
    """
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(what, str | Path) and is_case_file(str(what)):
        case = read_case(Path(what))
        if case is not None:
            given = {**case, **given}
            what = given.pop("network", given.pop("kind", "conv2d") if "layer" not in given else None)
    if "layer" in given:
        return _layer(what, given)
    stray = [name for name in _OF_LAYERS if name in given]
    if stray:
        raise PlanError(f"--{stray[0]} goes with --layer: thalweg derive NETWORK --layer conv2 --at 0,3,5")
    return _convolution(what, given)


def _layer(what: Any, given: dict[str, Any]) -> "Dependence":  # noqa: ANN401 - whatever `count` takes
    from thalweg.workbench.deriving.layer import derive_layer

    if what is None:
        raise PlanError("--layer needs its network: thalweg derive NETWORK --layer conv2 --at 0,3,5")
    stray = [name for name in given if name not in {"layer", *_OF_LAYERS} and given[name] is not False]
    if stray:
        raise PlanError(f"--{stray[0]} goes with a convolution on paper, not with --layer of a network")
    layer, at = given.pop("layer"), given.pop("at", None)
    given.pop("prove", None)
    return derive_layer(what, layer=str(layer), at=str(at) if isinstance(at, int) else at, **given)


def _convolution(what: Any, given: dict[str, Any]) -> "Derivation":  # noqa: ANN401 - a word
    from thalweg.workbench.derive import derive as work_out

    kind = "conv2d" if what is None else what
    if not isinstance(kind, str) or not kind.strip().lower().startswith(("conv", "1", "2", "3")) or "(" in kind:
        name = printable(str(kind))
        raise PlanError(
            f"{name}: derive conv1d, conv2d or conv3d, a case in a .yaml file, or a network's layer with --layer"
        )
    for name in ("x", "f"):
        if name not in given:
            raise PlanError(f"--{name} is missing: thalweg derive conv2d --x 3x3 --f '[[1,0],[0,-1]]' --head mean")
    if "prove" in given and not isinstance(given["prove"], bool):
        raise PlanError(f"prove: true or false is wanted, not {printable(str(given['prove']))}")
    if "check" in given:
        given["check"] = read_answer(given["check"])
    if isinstance(given.get("bias"), str) and given["bias"] in {"true", "True", "b"}:
        given["bias"] = True
    return work_out(kind, **given)
