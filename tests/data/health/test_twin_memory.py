"""Twins found once are found again only among the very same pictures; what is damaged is searched anew."""

import numpy as np
import pytest

from thalweg.data.health.twin_memory import remembered_groups

GROUPS = [np.array([0, 3]), np.array([1, 2, 4])]
MINIATURES = np.random.default_rng(0).integers(0, 256, (5, 16, 16), dtype=np.uint8)
CONTENT = np.random.default_rng(1).integers(0, 256, (5, 16), dtype=np.uint8)


@pytest.fixture
def searched(own_cache):
    """Ask; tells what was answered and how often was searched so far."""
    times = []

    def ask(miniatures=MINIATURES, content=CONTENT, found=GROUPS):
        def search():
            times.append(1)
            return found

        return [group.tolist() for group in remembered_groups(miniatures, content, search)], len(times)

    return ask


def test_the_same_pictures_are_searched_once(searched):
    told = [[0, 3], [1, 2, 4]]
    assert searched() == (told, 1)
    assert searched() == (told, 1)
    assert searched(found=[]) == (told, 1)


def test_no_twins_are_remembered_too(searched):
    assert searched(found=[]) == ([], 1)
    assert searched() == ([], 1)


@pytest.mark.parametrize("which", ["miniatures", "content"])
def test_a_change_in_one_picture_is_searched_anew(searched, which):
    searched()
    changed = {"miniatures": MINIATURES.copy(), "content": CONTENT.copy()}[which]
    changed[4, -1] ^= 1
    assert searched(**{which: changed}, found=[]) == ([], 2)
    assert searched(MINIATURES[:4], CONTENT[:4], found=[]) == ([], 3)


@pytest.mark.parametrize("damage", ["", "{}1", "[[0, 9]]", "[[-1, 2]]", "[[0]]", "[[0.5, 1]]", '[["a", "b"]]', "7"])
def test_what_is_damaged_is_searched_anew(searched, own_cache, damage):
    searched()
    (path,) = own_cache.rglob("*.json")
    path.write_text(damage)
    assert searched() == ([[0, 3], [1, 2, 4]], 2)
    assert searched()[1] == 2


def test_a_cache_that_cannot_be_written_is_no_fault(searched, own_cache):
    own_cache.write_text("no folder")
    assert searched() == ([[0, 3], [1, 2, 4]], 1)
    assert searched()[1] == 2
