"""Damage, a full disk, numbers that are not finite, signals: the short forms of scripts in benchmarks/reliability."""

import os

import pytest


@pytest.mark.parametrize("name", ["damaged", "full_disk", "non_finite"])
def test_short_form(kept, name):
    assert kept(name)["held"] > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks, so as to import torch once")
def test_a_stopped_run_is_saved_and_goes_on(kept):
    result = kept("stops")
    assert {case["status"] for case in result["details"]} == {130, 143}
