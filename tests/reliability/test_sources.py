"""Pictures, names, folders, archives and links that bite: the short forms of scripts in benchmarks/reliability."""

import os
import pathlib

import pytest


@pytest.mark.parametrize("name", ["pictures", "archives", "urls", "twins"])
def test_short_form(kept, name):
    assert kept(name)["held"] > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="names of bytes and links are what POSIX has")
def test_odd_names_and_folders(kept):
    assert kept("folders")["held"] > 0


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="memory is limited and read as Linux has it")
@pytest.mark.parametrize("name", ["mutated", "leaks"])
def test_short_form_on_linux(kept, name):
    assert kept(name)["held"] > 0
