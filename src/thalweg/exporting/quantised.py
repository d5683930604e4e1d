"""A network in whole numbers of 8 bits: a quarter of the size, and faster where a processor multiplies bytes.

Weights get a scale a channel, activations one range a tensor, from pictures of the training split (static quantisation
of ONNX in the QDQ form; Jacob et al. 2018). What that costs in accuracy depends on the network, so it is measured: both
files answer the same held-out samples, and both are timed on them in turns.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.core.errors import RunError
from thalweg.core.files import write_atomically
from thalweg.exporting.onnx_runtime import answers_of, load_extra, open_network, reason_of

__all__ = ["QuantisedCheck", "quantise"]

_TURNS = 5
_MOST_APART = 0.1
"""Share of training samples that may get another answer in 8-bit numbers before dense layers stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantisedCheck:
    """A written file of 8-bit numbers, beside the file of floating-point numbers it was made from.

    Args:
        path: The file.
        bytes: Its size.
        split: The split that both were measured on.
        files: Samples of that split that were used.
        accuracy: Share of right answers.
        accuracy_float: The same of the file in float32.
        agreement: Share of samples to which both give the same answer.
        images_per_second: Samples a second, batches of 32, the median of five turns.
        images_per_second_float: The same of the file in float32.
        float_layers: Dense layers that stay in float32, as too many training samples had another answer with all in
            8-bit numbers.
    """

    path: str
    bytes: int
    split: str
    files: int
    accuracy: float
    accuracy_float: float
    agreement: float
    images_per_second: float
    images_per_second_float: float
    float_layers: int = 0


class _Reader:
    """Gives calibration batches one by one, as onnxruntime asks for them."""

    def __init__(self, batches: Sequence[np.ndarray]) -> None:
        self._left = iter(batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch.

        Returns:
            By the name of the input; None after the last one.
        """
        batch = next(self._left, None)
        return None if batch is None else {"pixels": batch}

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        while (batch := self.get_next()) is not None:
            yield batch

    def __next__(self) -> dict[str, np.ndarray]:
        batch = self.get_next()
        if batch is None:
            raise StopIteration
        return batch


def quantise(
    source: Path,
    path: Path,
    *,
    calibration: Sequence[np.ndarray],
    held: Sequence[tuple[np.ndarray, np.ndarray]],
    split: str,
) -> QuantisedCheck:
    """Write a network in 8-bit numbers, and measure what that costs and gains.

    Args:
        source: Its ONNX file in float32, as `export_onnx` writes it.
        path: The file to write, whole or not at all; its folder must exist.
        calibration: Batches of training samples, float32 `(N, channels, ...)`.
        held: Batches of held-out samples with their labels `(N,)`.
        split: What the held-out split is called.

    Returns:
        Sizes, accuracies and speeds of both.

    Raises:
        MissingExtraError: onnx or onnxruntime is not installed.
        RunError: onnxruntime cannot quantise the network, or refuses what it made.
    """
    quantization = load_extra("onnxruntime.quantization", "to export 8-bit numbers")
    try:
        with tempfile.TemporaryDirectory(prefix="thalweg-") as aside:
            ready, made = Path(aside, "ready.onnx"), Path(aside, "made.onnx")
            quantization.quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
            content, apart = _made(quantization, ready, made, calibration, source.read_bytes(), leave=())
            floating, (dense, behind) = 0, _dense(ready)
            if apart > _MOST_APART and dense:  # a head that was fitted in one go, most often
                leave = (*dense, *behind)
                other, less = _made(quantization, ready, made, calibration, source.read_bytes(), leave=leave)
                content, floating = (other, len(dense)) if less < apart else (content, 0)
        sessions = [open_network(each) for each in (content, source.read_bytes())]
    except Exception as error:  # its passes raise whatever they raise
        reason = reason_of(error)
        raise RunError(f"onnxruntime cannot bring this network to 8-bit numbers: {reason}") from error
    answers = [
        np.concatenate([answers_of(session, pixels) for pixels, _ in held]).argmax(axis=1) for session in sessions
    ]
    labels = np.concatenate([labels for _, labels in held])
    seconds: list[list[float]] = [[], []]
    for _ in range(_TURNS):  # in turns, so that whatever else the machine does meets both
        for times, session in zip(seconds, sessions, strict=True):
            begun = time.perf_counter()
            for pixels, _ in held:
                answers_of(session, pixels)
            times.append(time.perf_counter() - begun)
    write_atomically(path, content)
    quick, usual = (len(labels) / max(1e-9, statistics.median(times)) for times in seconds)
    return QuantisedCheck(
        path=str(path),
        bytes=len(content),
        split=split,
        files=len(labels),
        accuracy=float((answers[0] == labels).mean()),
        accuracy_float=float((answers[1] == labels).mean()),
        agreement=float((answers[0] == answers[1]).mean()),
        images_per_second=quick,
        images_per_second_float=usual,
        float_layers=floating,
    )


def _made(
    quantization: Any,  # noqa: ANN401 - onnxruntime has no types
    ready: Path,
    made: Path,
    calibration: Sequence[np.ndarray],
    plain: bytes,
    *,
    leave: Sequence[str],
) -> tuple[bytes, float]:
    """A network in 8-bit numbers but for some layers; the share of training samples that it answers otherwise."""
    quantization.quantize_static(
        str(ready),
        str(made),
        _Reader(calibration),
        quant_format=quantization.QuantFormat.QDQ,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=list(leave),
    )
    content = made.read_bytes()
    small, whole = (
        np.concatenate([answers_of(session, pixels) for pixels in calibration]).argmax(axis=1)
        for session in map(open_network, (content, plain))
    )
    return content, float((small != whole).mean())


def _dense(ready: Path) -> tuple[list[str], list[str]]:
    """The dense layers, and what makes probabilities of their scores, which must not be rounded in between."""
    nodes = load_extra("onnx").load(ready).graph.node
    return (
        [node.name for node in nodes if node.op_type in {"Gemm", "MatMul"}],
        [node.name for node in nodes if node.op_type in {"Softmax", "Sigmoid"}],
    )
