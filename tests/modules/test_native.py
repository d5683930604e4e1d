"""The compiled kernels are only loaded from where nobody else could have put them, and never needed."""

import os
import pathlib
import shutil
import stat

import pytest

from thalweg.modules import native

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None or os.name != "posix", reason="this machine has no C compiler"
)


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path))
    monkeypatch.delenv("THALWEG_KERNELS", raising=False)


def compiled() -> native.Kernels | None:
    return native._kernels.__wrapped__(half=False)


@needs_compiler
def test_a_library_is_compiled_once_and_kept_for_its_owner_alone(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiled() is not None
    (kept,) = (tmp_path / "kernels").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    monkeypatch.setattr(native, "_compile", lambda *_, **__: pytest.fail("it was compiled again"))
    assert compiled() is not None


@needs_compiler
@pytest.mark.parametrize("what", ["folder", "file", "content"])
def test_one_that_others_could_have_written_or_that_is_damaged_is_not_loaded(
    tmp_path: pathlib.Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiled() is not None
    (kept,) = (tmp_path / "kernels").iterdir()
    if what == "content":  # not written in place: this process has it in use
        kept.unlink()
        kept.write_bytes(b"half a libr")
    else:
        (kept.parent if what == "folder" else kept).chmod(0o777)
    made, compile_ = [], native._compile

    def noted(*arguments: object, **words: object) -> pathlib.Path:
        made.append(1)
        return compile_(*arguments, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(native, "_compile", noted)
    assert compiled() is not None
    assert made == [1]


@pytest.mark.parametrize("why", ["off", "no compiler", "fails"])
def test_without_them_torch_computes(why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    if why == "off":
        monkeypatch.setenv("THALWEG_KERNELS", "off")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    if why == "fails":
        (tmp_path / "cc").write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "cc").chmod(0o755)
    assert compiled() is None
