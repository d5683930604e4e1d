"""A device that is not the processor, played by the processor: what mixes the two up fails here as it would on a GPU.

A tensor of device `far` holds another that nobody sees. Every operation is done on what is held, after a check that all
its tensors lie there (single numbers of the processor may join in, as on CUDA). Random numbers are the processor's own,
so that a run there must give the numbers of a run here. `DOUBLES = False` makes float64 an error, as on Apple's GPUs.

Registering a device is for a whole process: `far_runs.py` is one of its own.
"""

from typing import Any, Self

import torch
from torch.utils import backend_registration

DOUBLES = True
WAITS: list[str] = []
"""Operations so far that waited for the device."""

_ATEN = torch.ops.aten
_MOVES = {_ATEN.copy_.default, _ATEN._to_copy.default}
_INDEXED = {_ATEN.index.Tensor, _ATEN.index_put.default, _ATEN.index_put_.default, _ATEN._index_put_impl_.default}


class Far(torch.Tensor):
    """A tensor on device `far`."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Self:
        if held.dtype == torch.float64 and not DOUBLES:
            raise TypeError("Cannot convert a far Tensor to float64 dtype as the far framework doesn't support float64")
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made = torch.Tensor._make_wrapper_subclass(cls, held.shape, **layout, device="far:0")
        made.held = held
        return made

    def __iter__(self):  # torch's unbind fails on such tensors in inference mode
        return (self[place] for place in range(len(self)))

    def tolist(self):  # torch does the same in C++, where it refuses such tensors
        return self.detach().cpu().tolist()

    @property
    def data(self):
        return self.detach()

    @data.setter
    def data(self, value):
        torch.Tensor.data.__set__(self, value)
        self.held = value.held

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if torch.is_inference_mode_enabled():  # there torch leaves it to us to take composed operations apart
            made = operation.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        return compute(operation, *args, **kwargs)


def compute(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """Do an operation on what its tensors hold."""
    tensors = [each for each in _flat((args, tuple(kwargs.values()))) if isinstance(each, torch.Tensor)]
    there = [each for each in tensors if isinstance(each, Far)]
    if operation not in _MOVES and len(there) < len(tensors) and there:
        least = args[1] if operation in _INDEXED else ()  # places may be told by the processor
        near = [each for each in tensors if not isinstance(each, Far) and each.dim()]
        if any(all(each is not place for place in least) for each in near):
            raise RuntimeError(f"Expected all tensors to be on the same device, but {operation} found far:0 and cpu")
    target = torch.device(kwargs["device"]) if kwargs.get("device") is not None else None
    if operation is _ATEN._local_scalar_dense.default or (target is not None and there and target.type == "cpu"):
        WAITS.append(str(operation))
    bare = {name: _mapped(_bare, value) for name, value in kwargs.items()}
    found = operation(*_mapped(_bare, args), **(bare if target is None else bare | {"device": "cpu"}))
    if target is not None and target.type == "cpu":
        return found
    given = {id(each.held): each for each in there}
    inference = torch.is_inference_mode_enabled() and all(
        each.is_inference() for each in there
    )  # a view is as its base

    def wrapped(each):
        if not isinstance(each, torch.Tensor):
            return each
        with torch.inference_mode(inference):
            return given[id(each)] if id(each) in given else Far(each)

    return _mapped(wrapped, found)


def _bare(value):
    return value.held if isinstance(value, Far) else value


def _flat(values):
    for each in values:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        else:
            yield each


def _mapped(change, value):
    if isinstance(value, list | tuple):
        return type(value)([_mapped(change, each) for each in value])
    return change(value)


class _Module:
    """What torch asks of a device's module."""

    is_available = is_initialized = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 1)
    current_device = staticmethod(lambda: 0)
    _is_in_bad_fork = staticmethod(lambda: False)
    manual_seed_all = set_rng_state = staticmethod(lambda *_: None)
    get_rng_state = staticmethod(lambda *_: torch.empty(0))
    get_amp_supported_dtype = staticmethod(lambda: [torch.float16, torch.bfloat16])


def install() -> list[torch.library.Library]:
    """Register the device; what is given back keeps it alive."""
    backend_registration._setup_privateuseone_for_python_backend("far", backend_module=_Module())
    everything = torch.library.Library("_", "IMPL")
    everything.fallback(compute, "PrivateUse1")

    def copied(held, target, non_blocking=False):
        compute(_ATEN.copy_.default, target, held)
        return target

    copies = torch.library.Library("aten", "IMPL")
    copies.impl("_copy_from", copied, "PrivateUse1")
    return [everything, copies]
