"""torchmetrics, which several tests compare with, beside whatever torchvision there is."""

import importlib

import pytest


@pytest.fixture
def torchmetrics():
    """torchmetrics; it imports torchvision where that is installed, which may not fit the torch there is."""
    pytest.importorskip("torch")
    from thalweg.modules.torchvision_shim import let_torchvision_import

    let_torchvision_import()
    try:
        return importlib.import_module("torchmetrics")
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        pytest.skip(f"torchmetrics cannot be imported: {error}")
