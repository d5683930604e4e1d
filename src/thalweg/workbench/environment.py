"""Versions, hardware and command of a run, so that somebody else can repeat it."""

import importlib.metadata
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from thalweg import __version__
from thalweg.core.run_folder import RunFolder
from thalweg.training.device import Device, describe_hardware, kernels_of

__all__ = ["describe_environment", "find_source"]

PACKAGES = ("torch", "numpy", "pillow", "safetensors")


def describe_environment(device: Device) -> Mapping[str, object]:
    """Describe where a run happens.

    Args:
        device: Where it computes.

    Returns:
        What goes into `environment.json`.
    """
    return {
        "thalweg": __version__,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "hardware": describe_hardware(),
        "device": device.kind,
        "precision": device.precision,
        "kernels": kernels_of(device),
        "folder": os.getcwd(),  # noqa: PTH109 - plain text, for `find_source`
        "command": shlex.join(["thalweg", *sys.argv[1:]]) if sys.argv and "thalweg" in sys.argv[0] else "from Python",
    }


def find_source(folder: RunFolder, source: str) -> str:
    """Find a run's source again, from whatever folder one works in now.

    Args:
        folder: The run.
        source: As the user named it when the run began.

    Returns:
        The same words, or, where they name nothing here, the place they meant then if that is still there.
    """
    if Path(source).exists() or not (folder.path / "environment.json").is_file():
        return source
    then = Path(str(folder.read_json("environment.json").get("folder", "")), source)
    return str(then) if then.exists() else source
