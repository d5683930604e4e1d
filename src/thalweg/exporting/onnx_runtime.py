"""onnxruntime as exports use it: found or asked for, opened in one way, and what it says when it fails, in one line.

onnxruntime has no types, and its exceptions no common base class.
"""

import importlib
from typing import Any

import torch

from thalweg.core.errors import MissingExtraError
from thalweg.core.files import printable

__all__ = ["answers_of", "load_extra", "open_network", "reason_of"]


def load_extra(name: str, purpose: str = "to export to ONNX") -> Any:  # noqa: ANN401 - a module without types
    """Import a package of the extra `onnx`.

    Args:
        name: Of the module.
        purpose: What it is needed for.

    Returns:
        The module.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name.partition(".")[0], "onnx", purpose) from error


def open_network(content: bytes) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Open an ONNX file on the CPU, with as many threads as torch has.

    Args:
        content: The file.

    Returns:
        A session that answers.
    """
    runtime = load_extra("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # errors come as exceptions
    options.intra_op_num_threads = torch.get_num_threads()
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def answers_of(session: Any, pixels: Any) -> Any:  # noqa: ANN401 - as above
    """Let a network answer a batch.

    Args:
        session: What `open_network` gave.
        pixels: float32 `(N, channels, ...)`.

    Returns:
        Probabilities, `(N, classes, ...)`.
    """
    return session.run(["probabilities"], {"pixels": pixels})[0]


def reason_of(error: Exception) -> str:
    r"""What a third party's passes said when they failed, in one line.

    Args:
        error: Whatever they raised.

    Returns:
        The beginning of its text.

    Example:
        >>> reason_of(ValueError("no such\n   operator"))
        'no such operator'
    """
    return printable(" ".join(str(error).split())[:300])
