"""Reading a file of weights without running anything in it: `.safetensors`, torch's `.pth`, Keras's `.weights.h5`.

A `.pth` file is a pickle, which can name any function to call. `torch.load(weights_only=True)` builds tensors and plain
containers only and refuses the rest; nothing else here reads a pickle. The two other formats cannot hold code.
"""

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from thalweg.core.errors import MissingExtraError, WeightsError
from thalweg.core.files import printable

__all__ = ["digest_of", "read_tensors"]

_WRAPPERS = ("state_dict", "model_state_dict", "model", "state_dict_ema")
"""Under which names training programs put the weights among other things."""


def digest_of(path: Path) -> str:
    """SHA-256 of a file.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.

    Raises:
        WeightsError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{printable(path)}: cannot be read ({error.strerror or error})") from None


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a file of weights.

    Args:
        path: A `.safetensors`, `.h5`, or torch file.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, holds no weights, or tries to run code.
        MissingExtraError: It is an HDF5 file and h5py is not installed.
    """
    place = printable(path)
    if not path.is_file():
        raise WeightsError(f"{place}: there is no such file of weights")
    head = _first_bytes(path)
    if not head:
        raise WeightsError(f"{place}: is empty (0 bytes); download it again")
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return _from_hdf5(path)
    if path.suffix == ".safetensors" or head[8:9] == b"{":
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise WeightsError(f"{place}: is no whole safetensors file ({_line(error)}); download it again") from None
    if head.lstrip()[:1] == b"<":
        raise WeightsError(f"{place}: is a web page, no weights; download the file itself")
    return _named(_from_torch(path), path)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise WeightsError(f"{printable(path)}: cannot be read ({error.strerror or error})") from None


def _from_torch(path: Path) -> object:
    place = printable(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about scripted archives, which are refused
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            wanted = _wanted_by(str(error))
            if wanted:
                raise WeightsError(
                    f"{place}: wants to call {wanted} while being read, and weights need no code: nothing was run; "
                    f"take a file of tensors only, best .safetensors"
                ) from None
            # torch's own words go on to say how to let such a file run code
            raise WeightsError(
                f"{place}: is no torch file of weights, but damaged or a bare pickle, which could call anything: "
                f"nothing was run; take a file of tensors only, best .safetensors"
            ) from None
        except Exception as error:  # noqa: BLE001 - a broken archive raises whatever its parts raise
            scripted = "TorchScript" in str(error)
            why = "is a program (TorchScript), no table of weights" if scripted else "is no whole torch file of weights"
            raise WeightsError(f"{place}: {why} ({_line(error)}); nothing was run") from None


def _wanted_by(text: str) -> str:
    """What a refused pickle wanted to call, from torch's words (`Unsupported global: GLOBAL posix.system ...`)."""
    for mark in ("GLOBAL ", "Unsupported class ", "Trying to load unsupported GLOBAL "):
        _, found, rest = text.partition(mark)
        if found and rest:
            return printable(rest.split()[0].rstrip(".,"))
    return ""


def _named(found: object, path: Path) -> dict[str, torch.Tensor]:
    for name in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not found:
        raise WeightsError(f"{printable(path)}: holds {type(found).__name__}, no table of named tensors")
    tensors = {}
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(
                f"{printable(path)}: the entry {printable(str(name))[:80]} is {type(value).__name__}, no tensor"
            )
        tensors[name.removeprefix("module.")] = value.detach()
    return tensors


def _from_hdf5(path: Path) -> dict[str, torch.Tensor]:
    try:
        import h5py  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise MissingExtraError("h5py", "backbones", "to read HDF5 weights") from None
    tensors: dict[str, torch.Tensor] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            tensors[name] = torch.from_numpy(item[()])

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{printable(path)}: is no whole HDF5 file ({_line(error)})") from None
    return tensors


def _line(error: BaseException) -> str:
    return printable(str(error).strip().partition("\n")[0])[:160] or type(error).__name__
