import importlib
import importlib.util
import sys

import pytest
import torch

from thalweg.modules import torchvision_shim


def test_what_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert not torchvision_shim.let_torchvision_import()


def test_an_import_that_works_is_left_alone(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(importlib, "import_module", lambda _: object())
    monkeypatch.setattr(torchvision_shim, "_KEPT", [])
    assert torchvision_shim.let_torchvision_import()
    assert torchvision_shim._KEPT == []


def test_the_missing_operator_is_defined_where_the_import_asks_for_it(monkeypatch):
    tries = []

    def import_module(_):
        tries.append(None)
        if len(tries) == 1:
            raise RuntimeError("operator torchvision::nms does not exist")
        return torch.ops.torchvision.nms

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(importlib, "import_module", import_module)
    assert torchvision_shim.let_torchvision_import()
    assert torch.ops.torchvision.qnms is not None


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
def test_torchvision_is_imported():
    assert torchvision_shim.let_torchvision_import()
    assert "torchvision" in sys.modules
