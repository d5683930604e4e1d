"""What readers say of real logs is Persian throughout: the sentence, and what was put into it."""

import itertools
import re

import pytest

from thalweg.core.languages import Speaker, said, speaking
from thalweg.histories.names import Meaning
from thalweg.histories.readers.table import _said
from thalweg.histories.reading import read

PERSIAN = Speaker("fa")
WORD = re.compile(r"[A-Za-z]{2,}")
OURS = set(WORD.findall("train_loss val_loss val_accuracy batch_loss epoch perplexity NaN JSON"))
LOGS = {
    "log.csv": "iter,trn loss,trn acc,other\n1,3,40,5\n2,2,90,5\n2,1.5,91,\n3,1,x,5\n4,1,2\n",
    "percent.csv": "epoch,loss,val_ppl,val_err\n1,3,9,50\n2,2,8,40\n3,1,\n",
    "headless.csv": "1,3.5\n2,2.5\n3,1.5\n",
    "losses.txt": "3.5\n2.5\n1.5\n",
    "steps.jsonl": '{"step": 100, "loss": 3}\n{"step": 200, "loss": 2, "val_loss": 2}\n{"step": 300, "val_loss": 2}\n{',
    "batches.jsonl": "".join(f'{{"step": {n * 7}, "loss": {9 - n}}}\n' for n in range(1, 6)),
    "again.csv": "epoch,loss\n1,3\n2,2\n3,1\n1,3\n2,2.5\n",
    "resumed.csv": "epoch,loss\n1,3\n2,2\n3,1\n2,2.1\n3,1.5\n",
    "printed.txt": "loss: 3.0 acc: 0.5\nloss: 2.0 acc: 0.6\nloss: 1.0 acc: 0.7\n",
    "trees.log": "[0]\ttrain-rmse:3\tholdout-rmse:3\n[1]\ttrain-rmse:2\tholdout-rmse:2.5\n",
    "history.json": '{"loss": [3, null, 1, 0.5], "val_accuracy": [0.1, 0.2]}',
}


@pytest.mark.parametrize("name", LOGS)
def test_what_is_said_of_a_log_is_persian_throughout(tmp_path, name):
    (tmp_path / name).write_text(LOGS[name], "utf-8")
    notes = [note for run in read(tmp_path / name) for note in run.notes]
    assert notes
    with speaking("fa"):
        for note in notes:
            found = said(note)
            assert found != note
            assert set(WORD.findall(found)) <= OURS | set(WORD.findall(f"{name} {LOGS[name]}")), found


def test_what_a_column_was_taken_for_has_its_words():
    quantities = ("loss", "accuracy", "error_rate", "perplexity")
    judged = itertools.product(("train", "val", "test"), quantities)
    meanings = [*judged, ("", "learning_rate"), ("", "gradient_norm"), ("", "seconds"), ("", "loss"), ("", "accuracy")]
    said_of = [_said(Meaning(split=split, quantity=quantity)) for split, quantity in meanings]
    assert [words for words in said_of if PERSIAN.say(words) == words] == []
