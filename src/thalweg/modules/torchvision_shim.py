"""Lets torchvision be imported beside a CPU build of torch, where its own operators do not load.

torchvision's wheels are linked against CUDA. Beside a CPU build its import looks for an operator that its library would
have defined, and dies with `operator torchvision::nms does not exist`. Defining the two operators by signature alone
lets the import through; calling one fails as before, and no classification network does.
"""

import contextlib
import importlib.util

import torch

__all__ = ["let_torchvision_import"]

_KEPT: list[torch.library.Library] = []  # a definition lives as long as its library
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def let_torchvision_import() -> bool:
    """Make `import torchvision` work; where it works already, nothing is changed.

    Returns:
        Whether torchvision can be imported now; False where it is not installed or fails for another reason.

    Example:
        >>> let_torchvision_import() in {True, False}
        True
    """
    if importlib.util.find_spec("torchvision") is None:
        return False
    for attempt in (False, True):
        if attempt:
            _define()
        with contextlib.suppress(ImportError, RuntimeError, OSError):
            importlib.import_module("torchvision")
            return True
    return False


def _define() -> None:
    if _KEPT:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        with contextlib.suppress(RuntimeError):  # it is there already
            library.define(f"{name}{_SIGNATURE}")  # type: ignore[no-untyped-call]
    _KEPT.append(library)
