"""Everything a run needs to go on, in one file: weights, average, optimizer, position, curves.

A checkpoint is a safetensors file (no pickle, nothing in it can run) whose header carries the position as JSON and
whose name carries the step; a digest over both tells a damaged file from a whole one. Random state is not stored
because there is none: order, augmentation and dropout are functions of (seed, step).
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from thalweg.core.codec import dumps
from thalweg.core.errors import RunError
from thalweg.core.files import printable, write_atomically
from thalweg.modules.sharded import fill

__all__ = ["latest_checkpoint", "load_weights", "pack_optimizer", "save_checkpoint", "save_weights", "unpack_optimizer"]

SCHEMA = 1
KEPT = 2


def save_weights(network: torch.nn.Module | Mapping[str, torch.Tensor], path: Path) -> None:
    """Write a network's parameters and buffers.

    Args:
        network: The network, or what its `state_dict` gives.
        path: A `.safetensors` file.
    """
    state = network.state_dict() if isinstance(network, torch.nn.Module) else network
    whole = _contiguous(state)
    write_atomically(path, save(whole, metadata={"digest": _digest(whole, "")}))


def load_weights(module: torch.nn.Module, path: Path) -> None:
    """Read parameters and buffers back, strictly.

    Args:
        module: The network.
        path: A `.safetensors` file.

    Raises:
        RunError: The file is missing, damaged, or of another network.
    """
    tensors = weights_of(path)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise RunError(f"{printable(path)} does not fit the network: {str(error).splitlines()[-1].strip()}") from None


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """Read parameters and buffers by name.

    Args:
        path: A `.safetensors` file.

    Returns:
        The tensors.

    Raises:
        RunError: The file is missing or damaged.
    """
    tensors, metadata = _read(path)
    if "digest" in metadata:  # older files have none
        _refuse_damaged(path, tensors, metadata, "")
    return tensors


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, torch.Tensor], position: Mapping[str, object]
) -> Path:
    """Write a checkpoint and drop the oldest ones.

    Args:
        folder: The run's `checkpoints/`.
        step: Steps done so far.
        tensors: Weights, average and optimizer state, by prefixed name.
        position: Where the run is, as plain data.

    Returns:
        The file; the two newest are kept.
    """
    whole = _contiguous(tensors)
    text = dumps({"schema": SCHEMA, **position})
    path = folder / f"step-{step:09d}.safetensors"
    write_atomically(path, save(whole, metadata={"thalweg": text, "digest": _digest(whole, text)}))
    for old in sorted(folder.glob("step-*.safetensors"))[:-KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    return path


def latest_checkpoint(
    folder: Path, *, tidy: bool = True
) -> tuple[dict[str, torch.Tensor], dict[str, object], list[str]] | None:
    """Read the newest checkpoint that is whole.

    Args:
        folder: The run's `checkpoints/`.
        tidy: Remove damaged files that are passed over; only for whoever goes on with the run.

    Returns:
        Tensors, position, and a sentence for every damaged file that was passed over (and removed, lest it count as
        the newest again); None when there is no checkpoint.

    Raises:
        RunError: There are checkpoints, and all are damaged.
    """
    complaints: list[str] = []
    files = sorted(folder.glob("step-*.safetensors"), reverse=True)
    for number, path in enumerate(files):
        try:
            tensors, position = _read_checkpoint(path)
        except RunError as error:
            complaints.append(str(error))
            continue
        for damaged in files[:number] if tidy else ():
            with contextlib.suppress(OSError):
                damaged.unlink()
        return tensors, position, complaints
    if files:
        raise RunError(f"no checkpoint in {printable(folder)} is whole: {complaints[0]}; train anew")
    return None


def _read_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    tensors, metadata = _read(path)
    text = metadata.get("thalweg", "")
    _refuse_damaged(path, tensors, metadata, text)
    try:
        position = json.loads(text)
    except ValueError:
        position = None
    if not isinstance(position, dict) or position.pop("schema", None) != SCHEMA:
        raise RunError(f"{printable(path)} is no checkpoint of schema {SCHEMA}")
    return tensors, position


def pack_optimizer(module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Name the optimizer's state after the parameters it belongs to.

    Args:
        module: The network.
        optimizer: Its optimizer.

    Returns:
        Tensors such as `optimizer/conv1.weight/exp_avg`.
    """
    packed = {}
    for name, parameter in module.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if value is not None:
                packed[f"optimizer/{name}/{key}"] = torch.as_tensor(value)
    return packed


def unpack_optimizer(
    module: torch.nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Put the optimizer's state back.

    Args:
        module: The network.
        optimizer: A fresh optimizer over its parameters.
        tensors: What `pack_optimizer` gave.
    """
    for name, parameter in module.named_parameters():
        prefix = f"optimizer/{name}/"
        state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        for key, value in state.items():
            like = parameter if value.shape == parameter.shape else None
            moved = value.to(parameter.device)
            state[key] = moved if like is None else torch.empty_like(like)  # keeps channels-last memory, and shards
            if like is not None:
                fill(state[key], moved)
        if state:
            optimizer.state[parameter] = state


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"{printable(path)} does not exist: the run saved nothing yet") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise RunError(f"{printable(path)} is damaged: {error}") from None


def _contiguous(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Safetensors stores plain memory order; shared tensors are written once each."""
    return {name: tensor.detach().to("cpu", copy=False).contiguous().clone() for name, tensor in tensors.items()}


def _refuse_damaged(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str], text: str) -> None:
    if metadata.get("digest") != _digest(tensors, text):
        raise RunError(f"{printable(path)} is damaged: its digest does not match its content")


def _digest(tensors: Mapping[str, torch.Tensor], text: str) -> str:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    for name in sorted(tensors):
        digest.update(f"{name}:{tensors[name].dtype}:{tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
