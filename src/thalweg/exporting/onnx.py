"""A trained network as one ONNX file, proven against onnxruntime before it is written.

The file takes `pixels` (N, C, H, W; float32, 0 to 255) and gives `probabilities` (N, classes), or (N, classes, H, W)
where every pixel has a class; the scaling of pixels, the final sigmoid or softmax and the class names travel inside. An
exporter may freeze the batch size it has seen, or differ in an operator, without a word: so the file is run at two
batch sizes and must agree with torch.
"""

import contextlib
import copy
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from thalweg.core.errors import PlanError, RunError
from thalweg.core.files import printable, write_atomically
from thalweg.core.shape import Shape
from thalweg.exporting.onnx_runtime import answers_of, load_extra, open_network, reason_of

__all__ = ["BATCH_SIZES", "LARGEST_DIFFERENCE", "OnnxCheck", "export_onnx"]

BATCH_SIZES = (1, 5)
"""Batch sizes at which the file is compared with torch; neither is the one it was traced with."""

LARGEST_DIFFERENCE = 1e-4
"""Largest difference of a probability between onnxruntime and torch that is accepted."""

PIXELS = "float32 from 0 to 255, red, green, blue, channels first, upright; scaling is part of the network"
"""What goes in, where nothing else is said."""

_TRACED_BATCH = 2  # torch.export takes a batch of 1 for a constant
_PROTOBUF_LIMIT = 2**31 - 2**20  # bytes; one file cannot hold more


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxCheck:
    """A written file and how closely it agrees with torch.

    Args:
        path: The file.
        size_bytes: Its size.
        opset: Version of the ONNX operators it uses.
        batch_sizes: Batch sizes at which it was compared.
        maximum_difference: Largest absolute difference of a probability over all of them.
    """

    path: Path
    size_bytes: int
    opset: int
    batch_sizes: tuple[int, ...]
    maximum_difference: float


class _Probabilities(nn.Module):
    """Logits turned into probabilities; one sigmoid unit answers for two classes."""

    def __init__(self, module: nn.Module, final: str | None) -> None:
        super().__init__()
        self.module = module
        self.final = final

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.module(pixels)
        if self.final == "softmax":
            return torch.softmax(logits, dim=1)
        if self.final == "sigmoid":
            # sigmoid(-z) is 1 - sigmoid(z), without the cancellation where the second class is nearly certain
            return torch.sigmoid(torch.cat([-logits, logits], dim=1) if logits.shape[1] == 1 else logits)
        return logits


def export_onnx(
    module: nn.Module,
    input_shape: Shape,
    path: Path,
    *,
    class_names: Sequence[str],
    final: str | None,
    takes: str = PIXELS,
) -> OnnxCheck:
    """Write a network as ONNX, if and only if onnxruntime gives what torch gives.

    Args:
        module: The network, giving logits for pixels from 0 to 255; it is copied and stays as it is.
        input_shape: Shape of one sample.
        path: The file to write, whole or not at all; its folder must exist.
        class_names: Names of the classes in the order of the output, kept as JSON under `class_names` in the file.
        final: What turns logits into probabilities: `sigmoid`, `softmax`, or None where the network already does.
        takes: What the values that go in are, kept in the file.

    Returns:
        The file's size and operators, and its largest difference from torch.

    Raises:
        MissingExtraError: onnx, onnxruntime or onnxscript is not installed.
        PlanError: `final` is unknown, or the outputs are not as many as the classes.
        RunError: The network cannot be exported, or the file disagrees with torch; nothing is written then.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
        >>> export_onnx(
        ...     network, Shape(3, (2, 2)), Path("a.onnx"), class_names=["cat", "dog", "owl"], final="sigmoid"
        ... )
        Traceback (most recent call last):
        thalweg.core.errors.PlanError: the network gives 2 probabilities for 3 classes (cat, dog, owl)
    """
    if final not in {"sigmoid", "softmax", None}:
        raise PlanError(f"final is {final!r}; sigmoid, softmax or None (the network gives probabilities) are possible")
    whole = _Probabilities(copy.deepcopy(module).float().cpu(), final).eval()
    batches = {size: _pixels(size, input_shape) for size in (_TRACED_BATCH, *BATCH_SIZES)}
    with torch.no_grad():
        expected = {size: whole(batch).numpy() for size, batch in batches.items()}
    if expected[_TRACED_BATCH].shape[:2] != (_TRACED_BATCH, len(class_names)):
        outputs = expected[_TRACED_BATCH].shape[1:]
        raise PlanError(
            f"the network gives {'x'.join(map(str, outputs))} probabilities for {len(class_names)} classes "
            f"({', '.join(map(printable, class_names))})"
        )
    load_extra("onnxruntime")  # before the export, which takes long
    proto = _translate(whole, batches[_TRACED_BATCH], class_names, takes)
    content: bytes = proto.SerializeToString()
    difference = max(_difference(_answers(content, batches[size]), expected[size], size, path) for size in BATCH_SIZES)
    write_atomically(path, content)
    return OnnxCheck(
        path=path,
        size_bytes=len(content),
        opset=max(entry.version for entry in proto.opset_import if not entry.domain),
        batch_sizes=BATCH_SIZES,
        maximum_difference=difference,
    )


def _pixels(size: int, shape: Shape) -> torch.Tensor:
    random = np.random.default_rng(size)
    return torch.from_numpy(random.integers(0, 256, (size, *shape.as_tuple())).astype(np.float32))


def _translate(whole: nn.Module, example: torch.Tensor, class_names: Sequence[str], takes: str) -> Any:  # noqa: ANN401 - untyped
    # To an `onnx.ModelProto` with a free batch axis and nothing of this machine in it.
    for name in ("onnx", "onnxscript"):
        load_extra(name)
    size = sum(tensor.nbytes for tensor in whole.state_dict().values())
    if size > _PROTOBUF_LIMIT:
        raise RunError(f"the weights take {size / 2**30:.1f} GiB; one ONNX file holds at most 2 GiB")
    try:
        with _quiet():
            program = torch.onnx.export(
                whole,
                (example,),
                input_names=["pixels"],
                output_names=["probabilities"],
                dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}},
                dynamo=True,
                verbose=False,
            )
        proto: Any = program.model_proto if program is not None else None
    except Exception as error:  # the exporter raises whatever its many passes raise
        reason = reason_of(error)
        raise RunError(f"torch cannot export this network to ONNX with a free batch size: {reason}") from error
    for part in (
        proto,
        proto.graph,
        *proto.graph.node,
        *proto.graph.input,
        *proto.graph.output,
        *proto.graph.value_info,
    ):
        part.doc_string = ""
        del part.metadata_props[:]  # stack traces, with the paths of this machine
    for key, value in (
        ("class_names", json.dumps(list(class_names), ensure_ascii=True)),
        ("pixels", takes),
    ):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep third parties' announcements of their own future, and of packages we do not use, to themselves."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")  # "torchvision is not installed"
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        logger.setLevel(level)


def _answers(content: bytes, batch: torch.Tensor) -> Any:  # noqa: ANN401 - onnxruntime has no types
    try:
        return answers_of(open_network(content), batch.numpy())
    except Exception as error:  # onnxruntime's exceptions share no base class
        reason = reason_of(error)
        raise RunError(f"onnxruntime refuses the exported network at a batch of {len(batch)}: {reason}") from error


def _difference(measured: Any, expected: Any, size: int, path: Path) -> float:  # noqa: ANN401 - arrays of onnxruntime
    if measured.shape != expected.shape:
        raise RunError(
            f"{printable(path)} is not written: at a batch of {size} ONNX gives {measured.shape}, "
            f"torch {expected.shape}"
        )
    difference = float(np.abs(measured - expected).max())
    if not difference <= LARGEST_DIFFERENCE:  # also where it is nan
        raise RunError(
            f"{printable(path)} is not written: at a batch of {size} the probabilities of ONNX and torch differ by "
            f"{difference:.2g}, more than {LARGEST_DIFFERENCE:g}"
        )
    return difference
