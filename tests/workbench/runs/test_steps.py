"""`steps.csv` after a kill: torn and later rows go, whole earlier ones stay."""

import pytest

from thalweg.workbench.runs.steps import STEP_COLUMNS, StepLog


def row(step):
    return (step, 1, 0.5, 0.5, 1.0, 0.001, step / 10)


@pytest.mark.parametrize("torn", ["", "1", "10", "104,1,0.5", "4,1,0.5,0.5,1,0.001,0.4", "\x00\x00\ufffd"])
def test_only_whole_rows_up_to_the_checkpoint_are_kept(tmp_path, torn):
    log = StepLog(tmp_path / "steps.csv")
    log.cut_after(0)
    log.append([row(step) for step in (1, 2, 3)])
    whole = log.path.read_text()
    with log.path.open("a") as file:
        file.write(torn)
    log.cut_after(4)
    assert log.path.read_text() == whole
    log.cut_after(2)
    assert log.path.read_text() == "".join(whole.splitlines(keepends=True)[:3])
    assert log.path.read_text().startswith(",".join(STEP_COLUMNS))
