"""The doctor finds what stands in the way, says the way out, and needs no torch for it."""

import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import types

import jsonschema
import pytest

import thalweg
from thalweg.workbench import doctor as module
from thalweg.workbench import doctor_machine
from thalweg.workbench.doctor_packages import serves

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas" / "doctor.json"


def names(health):
    return {each.name: each for each in health.findings}


def test_the_command_answers_without_torch_and_by_its_schema():
    words = "import sys\nfrom thalweg.cli.main import main\ntry: main(['doctor', '--json'])\n"
    words += "finally: sys.stderr.write(str('torch' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=False)
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, json.loads(SCHEMA.read_text()))
    assert done.stderr == "False"
    serious = [each for each in answer["findings"] if each["severity"] != "info"]
    assert done.returncode == int(bool(serious))
    assert {place["what"] for place in answer["places"]} == {"runs", "cache", "temporary files"}


def test_torch_is_known_from_its_files():
    import torch

    seen = doctor_machine.torch_here()
    assert seen.version == torch.__version__
    assert (seen.build == "cpu") == (torch.version.cuda is None)


def test_a_full_disk_and_a_folder_that_may_not_be_written_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=100 << 20))
    monkeypatch.setattr(os, "access", lambda path, _: "cache" not in str(path))
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    found = module.doctor(tmp_path)
    assert found.findings[0].severity == "error"
    assert "100 MiB" in names(found)["disk_nearly_full"].claim
    assert "THALWEG_CACHE" in names(found)["place_not_writable"].remedy
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cache"], "the doctor wrote something"


def test_threads_that_must_wait_for_one_another_are_named(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    found = names(thalweg.doctor())
    assert "4096 threads" in found["more_threads_than_cores"].claim
    assert "threads_spin" in found


def test_what_is_missing_is_said_with_what_for(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name in {"gdown", "rich"}:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0" if name == "pillow" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    health = module.doctor()
    if not health.packages:
        pytest.skip("thalweg is not installed as a package")
    found = names(health)
    assert "rich" in found["package_missing"].claim
    assert "pillow 1.0" in found["package_version"].claim
    (drive,) = [each for each in health.packages if each.name == "gdown"]
    assert (drive.version, drive.extra, drive.needed_for) == (None, "drive", "Google Drive links as a source")


def test_a_clock_before_the_installation_is_noticed(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 86_400.0)
    assert "1970" in names(module.doctor())["clock_behind"].claim


@pytest.mark.parametrize(
    ("version", "wanted", "good"),
    [("2.10", ">=2.9", True), ("2.9.0rc1", ">=2.9,<2.14", True), ("1.9.9", ">=1.10", False), ("3", "!=3.0", False)],
)
def test_versions_are_compared_as_numbers(version, wanted, good):
    assert serves(version, wanted) is good
