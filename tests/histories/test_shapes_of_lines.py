"""Lines understood by their shape: each must say what it says when it is read alone."""

import pytest

from thalweg.histories.printed import read_line
from thalweg.histories.said import Lines, said_in
from thalweg.histories.shapes import Shapes

LINES = {
    "plain": [f"epoch {n} loss 0.{n}1 val_loss 1.{n}5 acc {n}.5%" for n in range(1, 10)],
    "counts that grow": [
        f"Epoch: [{n}][{n * 7}/391]  Loss {n}.2e-0{n} (0.{n})  Acc@1 {n}.2 (80.{n})" for n in range(9)
    ],
    "signs": [f"step {n}: loss {'-' * (n % 2)}0.{n} ({'+-'[n % 2]}0.0{n})" for n in range(12)],
    "nought below zero": [f"step {n}: loss -{n % 3}.0 (-0.5)" for n in range(12)],
    "names with numbers": [f"epoch {n // 2} Acc@{1 + 4 * (n % 2)}: 0.{n} loss: 0.{n}" for n in range(12)],
    "thousands": [f"step {n} loss: {n},{n}00.5" for n in range(1, 12)],
    "shares": [f"Epoch {n} : {n * 1000 + 7} / 10000" for n in range(1, 12)],
    "counts beyond epochs": [f"[{n}/{n}500] loss: 0.{n}" for n in range(1, 10)],
    "clocks": [f"2024-05-{n:02d} 12:00:{n:02d},{n}23 - [Epoch {n}] train 1{n}.3s loss 0.{n}" for n in range(10, 20)],
    "words": [f"epoch {n}: loss {'nan' if n > 5 else f'0.{n}'}" for n in range(12)],
    "glued": [f"E{n:03d} loss=0.{n}" for n in range(12)],
    "none": [f"worker {n} says {n}.5 things" for n in range(12)],
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_a_line_says_by_its_shape_what_it_says_alone(lines):
    alone = [said for said in map(read_line, lines) if said is not None]
    assert list(map(repr, (said for _, said in said_in("\n".join(lines))))) == list(map(repr, alone))


def test_a_shape_is_read_no_more_once_it_is_known():
    read = []

    def _read(line):
        read.append(line)
        return "loss", (float(line.split()[1]),)

    shapes = Shapes(_read)
    numbers = [0.1 + place / 100 for place in range(80)]
    assert [shapes(f"loss {number:.2f}")[1][0] for number in numbers] == [float(f"{each:.2f}") for each in numbers]
    assert len(read) < 10


def test_what_depends_on_a_number_is_read_line_by_line():
    shapes = Shapes(lambda line: ("high" if float(line) > 0.5 else "low", ()))
    assert [shapes(f"0.{digit}")[0] for digit in (1, 2, 3, 7, 8, 4)] == ["low", "low", "low", "high", "high", "low"]


def test_lines_are_read_once_and_only_as_far_as_asked():
    asked = []

    def _source():
        for place in range(5):
            asked.append(place)
            yield place, None

    lines = Lines(_source())
    assert next(iter(lines))[0] == 0
    assert asked == [0]
    assert [place for place, _ in lines] == [place for place, _ in lines] == asked == [0, 1, 2, 3, 4]
