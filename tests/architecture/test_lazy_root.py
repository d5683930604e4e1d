"""What must answer in a blink never loads torch.

The trap: every import contract can hold while an eager `__init__` or an import at the top of a command loads it all
the same. So a fresh interpreter is asked what it has loaded.
"""

import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg"
SLOW = {"torch", "torchvision", "timm", "sympy", "matplotlib", "resvg_py", "onnx", "onnxruntime", "sklearn", "scipy"}
TORCH_FREE_ROOMS = sorted(
    room
    for room in ("core", "networks", "accounting", "derivation", "diagnosis", "evaluation", "histories", "rendering")
    if (SOURCE / room).is_dir()
)


def _loaded(code):
    """Run code in a fresh interpreter and return the top-level packages it has loaded."""
    tail = "\nimport sys\nprint('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED ")[2].split())


def test_the_package_alone_loads_nothing_from_outside():
    before, after = _loaded(""), _loaded("import thalweg, thalweg.core.errors; dir(thalweg); thalweg.__version__")
    assert "thalweg" in after
    assert {name for name in after - before if name not in sys.stdlib_module_names} == {"thalweg"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"]], ids=" ".join)
def test_help_loads_nothing_slow(arguments):
    code = f"""
import sys
from thalweg.cli.main import main
sys.argv = ["thalweg", *{arguments!r}]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    loaded = _loaded(code)
    assert "thalweg" in loaded
    assert loaded & (SLOW | {"PIL", "httpx", "jinja2"}) == set()


def test_what_only_lists_or_looks_at_files_loads_no_torch():
    loaded = _loaded("import thalweg.workbench.check\nfrom thalweg.experiments.lab import labs\nassert labs()")
    assert "thalweg" in loaded
    assert "torch" not in loaded


@pytest.mark.parametrize("room", TORCH_FREE_ROOMS)
def test_every_file_of_a_torch_free_room_loads_without_torch(room):
    files = sorted((SOURCE / room).rglob("*.py"))
    modules = [".".join(("thalweg", *file.relative_to(SOURCE).with_suffix("").parts)) for file in files]
    imports = "\n".join(f"import {module.removesuffix('.__init__')}" for module in modules)
    loaded = _loaded(imports)
    assert "thalweg" in loaded
    assert loaded & SLOW == set()


def test_a_public_name_is_loaded_when_it_is_asked_for():
    loaded = _loaded("import thalweg; assert thalweg.ThalwegError.__name__ == 'ThalwegError'")
    assert loaded & SLOW == set()


def test_an_unknown_name_is_refused_as_python_does():
    import thalweg

    with pytest.raises(AttributeError, match="module 'thalweg' has no attribute 'trian'"):
        _ = thalweg.trian
