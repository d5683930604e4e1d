"""thalweg: train, diagnose, count and explain convolutional networks.

Every verb of the command line is a function here with the same words for its options; each is loaded when it is first
asked for, so `import thalweg` loads neither torch nor anything else that is slow.
"""

import importlib
from typing import TYPE_CHECKING

from thalweg.core.showing import Bundle, Showable

__version__ = "0.1.0"

if TYPE_CHECKING:
    from thalweg.core.errors import ThalwegError
    from thalweg.core.languages import speak
    from thalweg.dashboard.serving import serve
    from thalweg.experiments.lab import lab
    from thalweg.workbench.check import check
    from thalweg.workbench.compare import compare
    from thalweg.workbench.count import count
    from thalweg.workbench.demo import demo
    from thalweg.workbench.deriving.request import derive
    from thalweg.workbench.diagnose import diagnose
    from thalweg.workbench.doctor import doctor
    from thalweg.workbench.draw import draw
    from thalweg.workbench.evaluate import evaluate
    from thalweg.workbench.explain import explain
    from thalweg.workbench.export import export
    from thalweg.workbench.follow import follow
    from thalweg.workbench.landscape import landscape
    from thalweg.workbench.predict import predict
    from thalweg.workbench.report import report
    from thalweg.workbench.resume import resume
    from thalweg.workbench.rules import rule
    from thalweg.workbench.train import train
    from thalweg.workbench.watch import watch

_HOMES = {
    "ThalwegError": "thalweg.core.errors",
    "check": "thalweg.workbench.check",
    "compare": "thalweg.workbench.compare",
    "count": "thalweg.workbench.count",
    "demo": "thalweg.workbench.demo",
    "derive": "thalweg.workbench.deriving.request",
    "diagnose": "thalweg.workbench.diagnose",
    "doctor": "thalweg.workbench.doctor",
    "draw": "thalweg.workbench.draw",
    "evaluate": "thalweg.workbench.evaluate",
    "explain": "thalweg.workbench.explain",
    "export": "thalweg.workbench.export",
    "follow": "thalweg.workbench.follow",
    "lab": "thalweg.experiments.lab",
    "landscape": "thalweg.workbench.landscape",
    "predict": "thalweg.workbench.predict",
    "report": "thalweg.workbench.report",
    "resume": "thalweg.workbench.resume",
    "rule": "thalweg.workbench.rules",
    "serve": "thalweg.dashboard.serving",
    "speak": "thalweg.core.languages",
    "train": "thalweg.workbench.train",
    "watch": "thalweg.workbench.watch",
}

__all__ = [
    "ThalwegError",
    "__version__",
    "check",
    "compare",
    "count",
    "demo",
    "derive",
    "diagnose",
    "doctor",
    "draw",
    "evaluate",
    "explain",
    "export",
    "follow",
    "lab",
    "landscape",
    "predict",
    "report",
    "resume",
    "rule",
    "serve",
    "speak",
    "train",
    "watch",
]


def __getattr__(name: str) -> object:
    """Load a public name from its room on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'thalweg' has no attribute {name!r}")
    importlib.import_module("thalweg.core.process").share_processor()
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def _painted(value: object) -> Bundle:
    """How a notebook shows a value; what that takes is loaded when the first one is shown."""
    shown: Bundle = importlib.import_module("thalweg.workbench.notebook").bundle(value)
    return shown


Showable.painter = staticmethod(_painted)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
