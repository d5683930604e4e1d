"""Samples in a table are the samples that went in."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.dataset import Sample
from thalweg.data.finding.class_folders import by_folders
from thalweg.data.opening.source import open_source
from thalweg.data.sample_table import PARTS, Samples, files_of, labels_of, parts_of
from thalweg.data.splitting.split import split

samples = st.lists(st.builds(Sample, st.text(max_size=5), st.integers(0, 300), st.sampled_from(PARTS)), max_size=8)


@given(samples, st.sets(st.integers(0, 7)))
def test_a_table_says_what_a_tuple_says(given_samples, some):
    table, chosen = Samples.of(given_samples), sorted(place for place in some if place < len(given_samples))
    assert table == tuple(given_samples)
    assert [table[place] for place in range(len(table))] == given_samples
    assert table[1:3] == tuple(given_samples[1:3])
    assert table.take(np.array(chosen, int)) == [given_samples[place] for place in chosen]
    for ask in (files_of, labels_of, parts_of):
        assert list(ask(table)) == list(ask(given_samples))


def test_a_source_of_many_photos_takes_few_bytes_for_each(tmp_path):
    number = 4000
    for folder in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (tmp_path / folder).mkdir(parents=True)
        for place in range(number // 4):
            (tmp_path / folder / f"{place:06d}.png").touch()
    opened = open_source(tmp_path)
    split(by_folders(opened, 2).samples)  # what is imported on the way shall not count
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    found = by_folders(opened, 2)
    parts = split(found.samples)
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert (len(parts.train), len(parts.test)) == (number // 2, number // 2)
    assert kept / number < len("train/cat/000000.png") + 40
