"""thalweg: train, diagnose, count and explain convolutional networks.

Every verb of the command line is a function here with the same words for its options; each is loaded when it is first
asked for, so `import thalweg` loads neither torch nor anything else that is slow.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from thalweg.core.errors import ThalwegError

_HOMES = {
    "ThalwegError": "thalweg.core.errors",
}

__all__ = ["ThalwegError", "__version__"]


def __getattr__(name: str) -> object:
    """Load a public name from its room on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'thalweg' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
