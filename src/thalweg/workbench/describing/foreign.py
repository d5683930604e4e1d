"""Networks that Python code makes: somebody's own function, a torch module, a model of timm. These may load torch."""

import contextlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.core.errors import MissingExtraError, PlanError, SpecError, ThalwegError
from thalweg.core.files import printable
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape

if TYPE_CHECKING:
    from torch import nn

__all__ = ["from_function", "from_module", "from_python_file", "from_timm"]


def from_function(module: str, function: str, shapes: tuple[Shape, ...]) -> NetworkSpec:
    """Call somebody's own function and take the network it returns.

    Args:
        module: The module's dotted name; looked for in the working folder first.
        function: The function's name; it is called without arguments. A description or a torch module may stand there
            instead.
        shapes: Channels and size of one sample, for each input, needed to follow a torch module; a description keeps
            its own.

    Returns:
        The description.

    Raises:
        SpecError: There is no such module or function, it fails, or it returns something else than a network.
        PlanError: A torch module without an input shape.

    Example:
        >>> from_function("no_such_module", "make", ())
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: no_such_module:make: no module 'no_such_module' in the working folder...
    """
    place = f"{module}:{function}"
    with _folder_first(os.getcwd()):  # noqa: PTH109 - sys.path holds text
        try:
            home = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and module.startswith(error.name):
                raise SpecError(f"{place}: no module {error.name!r} in the working folder or installed") from None
            raise SpecError(f"{place}: importing it failed: {error}") from error
        except Exception as error:
            raise SpecError(f"{place}: importing it failed: {type(error).__name__}: {error}") from error
        if not hasattr(home, function):
            raise SpecError(f"{place}: module {module!r} has no {function!r}")
        made = _called(getattr(home, function), place)
    return made if isinstance(made, NetworkSpec) else from_module(made, shapes, place)


def from_python_file(path: Path, member: str | None, shapes: tuple[Shape, ...]) -> NetworkSpec:
    """Run somebody's own Python file and take a network from it.

    Args:
        path: The file.
        member: What to take: a function, called without arguments, a description or a torch module; None for the
            file's only description.
        shapes: Channels and size of one sample, for each input, needed to follow a torch module; a description keeps
            its own.

    Returns:
        The description.

    Raises:
        SpecError: There is no such file or member, it fails, or it holds no network, or several.
        PlanError: A torch module without an input shape.

    Example:
        >>> from_python_file(Path("no_such_file.py"), None, ())
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: no_such_file.py: there is no such file
    """
    place = printable(path)
    if not path.is_file():
        raise SpecError(f"{place}: there is no such file")
    found = importlib.util.spec_from_file_location(f"_own_{path.stem}", path)
    if found is None or found.loader is None:
        raise SpecError(f"{place}: no Python file")
    home = importlib.util.module_from_spec(found)
    sys.modules[found.name] = home  # dataclasses look themselves up there
    try:
        with _folder_first(os.path.abspath(path.parent)):  # noqa: PTH100 - sys.path holds text
            found.loader.exec_module(home)
    except ThalwegError as error:
        raise SpecError(f"{place}: {error}") from error
    except Exception as error:
        raise SpecError(f"{place}: running it failed: {type(error).__name__}: {error}") from error
    if member is None:
        specs = {name: value for name, value in vars(home).items() if isinstance(value, NetworkSpec)}
        if len(specs) != 1:
            what = f"{len(specs)} networks ({', '.join(specs)})" if specs else "no network description"
            raise SpecError(f"{place} holds {what}: name what to take, as in {place}:build")
        return next(iter(specs.values()))
    if not hasattr(home, member):
        raise SpecError(f"{place} has no {member!r}")
    made = _called(getattr(home, member), f"{place}:{member}")
    return made if isinstance(made, NetworkSpec) else from_module(made, shapes, f"{place}:{member}")


@contextlib.contextmanager
def _folder_first(folder: str) -> Iterator[None]:
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


def _called(thing: Any, place: str) -> object:  # noqa: ANN401 - whatever stands in somebody's module
    if not inspect.isroutine(thing) and not inspect.isclass(thing):
        return thing
    try:
        return thing()
    except ThalwegError:
        raise
    except Exception as error:
        raise SpecError(f"{place}() failed: {type(error).__name__}: {error}") from error


def from_module(module: "nn.Module | object", shapes: tuple[Shape, ...], place: str = "") -> NetworkSpec:
    """Follow a torch module's forward pass.

    Args:
        module: The module.
        shapes: Channels and size of one sample, for each input; not needed for what `build` made.
        place: Where it came from, for messages; its class by default.

    Returns:
        The description.

    Raises:
        SpecError: It is no torch module, or its forward pass cannot be followed.
        PlanError: The input shape is missing.

    Example:
        >>> from_module(3, ())
        Traceback (most recent call last):
        thalweg.core.errors.SpecError: int: a network's description or a torch module is wanted, not 3
    """
    place = place or type(module).__name__
    torch = sys.modules.get("torch")  # whoever has a module has loaded torch
    if torch is None or not isinstance(module, torch.nn.Module):
        raise SpecError(f"{place}: a network's description or a torch module is wanted, not {module!r:.60}")
    from thalweg.modules.build import BuiltNetwork
    from thalweg.modules.trace import trace

    if isinstance(module, BuiltNetwork):  # it knows its inputs; whoever asked may set another size
        return trace(module)
    if not shapes:
        raise PlanError(
            f"{place} is a torch module: add --input 3,224,224 (channels, then each axis), or of several inputs "
            "'3,224,224; 10'"
        )
    return trace(module, *shapes)


def from_timm(name: str, shape: Shape | None, classes: int | None) -> NetworkSpec:
    """Follow a model of timm's catalogue; no weights are loaded or allocated.

    Args:
        name: As timm calls it.
        shape: Channels and size of one sample; timm's own default where None.
        classes: Number of classes; timm's own default where None.

    Returns:
        The description.

    Raises:
        MissingExtraError: timm is not installed.
        SpecError: timm has no such model, or its forward pass cannot be followed.
    """
    from thalweg.modules.torchvision_shim import let_torchvision_import

    let_torchvision_import()  # which timm imports
    try:
        timm: Any = importlib.import_module("timm")
    except ImportError:
        raise MissingExtraError("timm", "backbones", f"for timm:{name}") from None
    import torch

    options = {} if classes is None else {"num_classes": classes}
    try:
        with torch.device("meta"):
            module = timm.create_model(name, pretrained=False, **options)
    except Exception as error:
        raise SpecError(f"timm:{name} cannot be made: {error}") from error
    if shape is None:
        channels, *extents = (getattr(module, "default_cfg", None) or {}).get("input_size", (3, 224, 224))
        shape = Shape(channels, tuple(extents))
    return replace(from_module(module.eval(), (shape,), f"timm:{name}"), name=name)
