"""Networks in files: the document of `network.json`, as JSON or as YAML."""

import json
from pathlib import Path

from thalweg.core.errors import ShapeError, SpecError
from thalweg.core.files import printable
from thalweg.core.network_plain import spec_from_plain
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.strange_yaml import read_yaml

__all__ = ["ENDINGS", "FOREIGN", "read_spec_file"]

ENDINGS = (".json", ".yaml", ".yml")
FOREIGN = (".onnx", ".pt", ".pth", ".pt2", ".ckpt", ".safetensors", ".keras", ".h5", ".hdf5", ".pb", ".tflite")
"""Files of weights, or of networks as other programs keep them: nothing in them is opened or run."""
_LARGEST_BYTES = 32 << 20  # a thousand layers take a quarter of a megabyte


def read_spec_file(path: Path) -> NetworkSpec:
    """Read a network's description from a file.

    Args:
        path: A file whose name ends in `.json`, `.yaml` or `.yml`.

    Returns:
        The network, with every field, setting and shape checked.

    Raises:
        SpecError: The file is of another kind, cannot be read, is damaged, or does not describe a network.
        ShapeError: Two layers do not fit.

    Example:
        >>> read_spec_file(Path("network.txt"))
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: network.txt: a network is read from .json, .yaml, .yml
    """
    ending, place = path.suffix.lower(), printable(path)
    if ending in FOREIGN:
        raise SpecError(
            f"{place}: {ending} files hold weights or another program's network, and are not opened here; name the "
            "Python that makes the torch module: net.py:build --input 3,224,224"
        )
    if ending not in ENDINGS:
        raise SpecError(f"{place}: a network is read from {', '.join(ENDINGS)}")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise SpecError(f"{place}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{place}: byte {error.start} is not UTF-8 text") from None
    if len(content) > _LARGEST_BYTES:
        raise SpecError(f"{place}: more than {_LARGEST_BYTES >> 20} MB; no description of a network is that long")
    try:
        data = _json(text, place) if ending == ".json" else _yaml(text, place)
        _refuse_keras(data, place)
        return spec_from_plain(data)
    except RecursionError:
        raise SpecError(f"{place}: lists within lists go too deep") from None
    except SpecError as error:
        if str(error).startswith(place):
            raise
        wrong = ShapeError if isinstance(error, ShapeError) else SpecError
        raise wrong(f"{place}: {error}") from None


def _refuse_keras(data: object, place: str) -> None:
    """What `model.to_json()` of Keras writes."""
    if isinstance(data, dict) and {"class_name", "config"} <= data.keys():
        raise SpecError(
            f"{place} describes a network of Keras, which is not read here; write its layers in Python, as "
            "thalweg draw small --format python does, or as a list: 'conv2d(16,3) relu flatten dense(2)'"
        )


def _json(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SpecError(f"{place}: no JSON: {error}") from None


def _yaml(text: str, place: str) -> object:
    try:
        return read_yaml(text)
    except ImportError:
        raise SpecError(f"{place}: YAML needs PyYAML: pip install pyyaml, or write the same document as JSON") from None
    except ValueError as error:
        raise SpecError(f"{place}: {error}") from None
