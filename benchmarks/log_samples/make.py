"""Write the sample logs beside this file with the libraries themselves, and as truth.json what they reported.

    python benchmarks/log_samples/make.py keras tensorboard lightning ...

Each name needs its library installed (VERSIONS.json says which were used); runs take seconds, learn from made-up
points, and download nothing. Tests read the logs and compare with truth.json, which does not come from the logs.
"""

import importlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAKERS = {
    "keras": ("with_keras", "keras", ("keras", "tensorflow")),
    "keras_console": ("with_keras_console", "keras_console", ("keras", "torch")),
    "tensorboard": ("with_torch", "tensorboard", ("torch", "tensorboard")),
    "tensorboardx": ("with_torch", "tensorboardx", ("tensorboardX",)),
    "lightning": ("with_torch", "lightning", ("lightning", "torch")),
    "transformers": ("with_torch", "transformers", ("transformers", "torch")),
    "fastai": ("with_vision", "fastai", ("fastai", "torch")),
    "ultralytics": ("with_vision", "ultralytics", ("ultralytics", "torch")),
    "timm": ("with_vision", "timm", ("timm", "torch")),
    "mlflow": ("with_trackers", "mlflow", ("mlflow",)),
    "trackio": ("with_trackers", "trackio", ("trackio",)),
    "detectron2": ("with_trackers", "detectron2", ("fvcore",)),
}

NOTES = {
    "detectron2": "in the form of its JSONWriter, smoothed by fvcore, not written by it: no registry has the package",
    "mlflow": "empty tables dropped, pages of 512 bytes, names of user and machine taken out",
    "trackio": "empty tables dropped, pages of 512 bytes",
}


def main(names: list[str]) -> None:
    """Make the samples that are named, each in a folder of its own."""
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    for name in names or MAKERS:
        module, function, packages = MAKERS[name]
        out = HERE / name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        before = Path.cwd()
        with tempfile.TemporaryDirectory() as scratch:
            os.chdir(scratch)  # libraries leave paths and caches in the working folder: none of this machine's
            try:
                truth = getattr(importlib.import_module(module), function)(out)
            finally:
                os.chdir(before)
        (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
        path = HERE / "VERSIONS.json"
        versions = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        versions[name] = {package: importlib.metadata.version(package).partition("+")[0] for package in packages}
        versions[name] |= {"note": NOTES[name]} if name in NOTES else {}
        path.write_text(json.dumps(dict(sorted(versions.items())), indent=1) + "\n", encoding="utf-8")
        print(name, sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main(sys.argv[1:])
