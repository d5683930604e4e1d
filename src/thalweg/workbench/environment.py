"""Versions, hardware and command of a run, so that somebody else can repeat it."""

import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Mapping

from thalweg import __version__
from thalweg.training.device import Device, describe_hardware

__all__ = ["describe_environment"]

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
        "command": shlex.join(["thalweg", *sys.argv[1:]]) if sys.argv and "thalweg" in sys.argv[0] else "from Python",
    }
