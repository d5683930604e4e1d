import math

import pytest

from thalweg.core.errors import LogError
from thalweg.histories.reading import read

PLAIN = "epoch,train_loss,val_loss\n1,3.0,4.0\n2,2.0,3.5\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", "  "),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.rstrip("\n"),
        PLAIN.replace(",", ", ").replace("epoch", '"Epoch"'),
        "# a comment\n" + PLAIN,
        "\n\n" + PLAIN + "\n\n",
        PLAIN.replace("\n", ",\n"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-32"),
        PLAIN.encode() + b"\0" * 512,
        "epoch,Train Loss,Validation Loss\n1,tensor(3.),tensor(4.0000)\n2,[2.0],\"tensor(3.5, device='cuda:0')\"\n",
        "epoch,trainLoss,valLoss\n0,3,4\n1,2,3.5\n",
        "Epoch,loss/train,loss/val,note\n1,3,4,good\n2,2,3.5,better\n",
        ",loss,val_loss\n0,3,4\n1,2,3.5\n",
        "epoch,phase,loss\n1,train,3\n1,val,4\n2,train,2\n2,val,3.5\n",
        "step,metric,value\n0,train_loss,3\n0,val_loss,4\n1,train_loss,2\n1,val_loss,3.5\n",
        "epoch,run-7 - train_loss,run-7 - val_loss,run-7 - val_loss__MIN\n1,3,4,4\n2,2,3.5,3\n",
    ],
)
def test_one_log_in_many_clothes(log, curve, content):
    (run,) = log("log.csv", content)
    assert curve(run, "train_loss") == {1: 3.0, 2: 2.0}
    assert curve(run, "val_loss") == {1: 4.0, 2: 3.5}


def test_persian_digits_are_digits(log, curve):
    (run,) = log("log.csv", "epoch;train_loss\n۱;۲٫۵\n۲;۱٫۵\n")
    assert curve(run, "train_loss") == {1: 2.5, 2: 1.5}


def test_what_was_guessed_is_said_and_can_be_overruled(log, curve):
    text = "epoch,cost A,foo,bar\n1,1,3,50\n2,2,2,75\n"
    with pytest.raises(LogError, match=r"cost A, foo, bar.*--columns"):
        log("log.csv", text)
    (run,) = log("log.csv", text, columns={"train_loss": "foo", "val_accuracy": "BAR"})
    assert curve(run, "train_loss") == {1: 3.0, 2: 2.0}
    assert curve(run, "val_accuracy") == {1: 0.5, 2: 0.75}
    assert "guessed from the header: column epoch counts" in run.notes[0]
    assert "percent" in run.notes[-1]


def test_a_column_that_is_not_there_is_named_with_those_that_are(log):
    with pytest.raises(LogError, match=r"no column 'los': did you mean 'loss'\? it has loss"):
        log("log.csv", "epoch,loss\n1,2\n2,1\n", columns={"train_loss": "los"})
    with pytest.raises(LogError, match="--columns: 'trainloss' is none of train_loss"):
        log("log.csv", "epoch,loss\n1,2\n2,1\n", columns={"trainloss": "loss"})


def test_tables_without_a_header(log, curve):
    assert curve(log("a.csv", "1,3.0\n2,2.0\n")[0], "train_loss") == {1: 3.0, 2: 2.0}
    assert curve(log("b.csv", "3.0\n2.5\n")[0], "train_loss") == {1: 3.0, 2: 2.5}
    with pytest.raises(LogError, match="3 columns without a header"):
        log("c.csv", "1,3.0,4.0\n2,2.0,3.0\n")
    (run,) = log("c.csv", "1,3.0,4.0\n2,2.0,3.0\n", columns={"epoch": "1", "train_loss": "2", "val_loss": "3"})
    assert curve(run, "val_loss") == {1: 4.0, 2: 3.0}


def test_an_accuracy_beside_two_losses_is_of_validation(log, curve):
    (run,) = log("log.csv", "epoch,train_loss,test_loss,accuracy\n1,3,4,0.5\n2,2,3,0.75\n")
    assert curve(run, "val_accuracy") == {1: 0.5, 2: 0.75}
    assert curve(run, "val_loss") == {1: 4.0, 2: 3.0}
    assert any("does not say its split" in note for note in run.notes)
    assert any("no validation curve" in note for note in run.notes)


def test_what_is_no_accuracy_is_not_taken_as_one(log, curve):
    (run,) = log("log.csv", "epoch,loss,accuracy\n1,3,950\n2,2,975\n")
    assert curve(run, "train_accuracy") is None
    assert any("leaves 0 to 100" in note for note in run.notes)


def test_gaps_na_nan_and_infinity(log, curve, near):
    (run,) = log("log.csv", "epoch,loss,val_loss\n1,3,NA\n2,inf,4\n4,nan,None\n5,-inf,3\n")
    assert near(curve(run, "train_loss"), {1: 3.0, 2: math.inf, 4: math.nan, 5: -math.inf})
    assert curve(run, "val_loss") == {2: 4.0, 5: 3.0}


def test_cells_that_go_empty_for_good_are_nan_as_pandas_writes_it(log, curve, near):
    (run,) = log("log.csv", ",loss,accuracy\n0,3,0.5\n1,,0.1\n2,,0.1\n")
    assert near(curve(run, "train_loss"), {1: 3.0, 2: math.nan, 3: math.nan})
    assert any("read as NaN" in note for note in run.notes)


def test_rows_of_batches_make_epochs(log, curve):
    (run,) = log("log.csv", "epoch,batch,loss\n0,0,4\n0,1,2\n1,0,2\n1,1,1\n")
    assert curve(run, "train_loss") == {1: 3.0, 2: 1.5}
    assert curve(run, "batch_loss") == {1: 4.0, 2: 2.0, 3: 2.0, 4: 1.0}


def test_batches_and_evaluations_by_step(log, curve):
    rows = "".join(f"{step},{10 - step},{'5' if step in {4, 8} else ''}\n" for step in range(1, 9))
    (run,) = log("log.csv", "iteration,loss,val_loss\n" + rows)
    assert curve(run, "train_loss") == {1: 7.5, 2: 3.5}
    assert curve(run, "val_loss") == {1: 5.0, 2: 5.0}


def test_one_epoch_and_only_a_training_loss(log, curve):
    (run,) = log("log.csv", "epoch,loss\n1,0.5\n")
    assert curve(run, "train_loss") == {1: 0.5}
    assert run.history.epochs == 1


def test_a_long_log_of_steps_is_kept_whole(log, curve):
    (run,) = log("log.csv", "step,loss\n" + "".join(f"{step},{step / 7:.4f}\n" for step in range(30_000)))
    assert len(curve(run, "batch_loss")) == 30_000
    assert curve(run, "batch_loss")[30_000] == 4285.5714
    assert curve(run, "train_loss") is None


def test_thousands_of_columns(log, curve):
    names = ",".join(f"w{place}" for place in range(5000))
    (run,) = log(
        "log.csv",
        f"epoch,loss,{names}\n" + "".join(f"{row},{row}.5,{',1' * 5000}\n".replace(",,", ",") for row in (1, 2)),
    )
    assert curve(run, "train_loss") == {1: 1.5, 2: 2.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch,loss\n", "no row of numbers"),
        ("hello world, this is a letter\n", r"is no training log that is known: .* \(hello world, this is a letter\)"),
        ("episode 1 reward 3.2\nepisode 2 reward 4.1\n", r"names no columns of numbers \(episode, 1, reward, 3\.2\)"),
        ("2024-01-01 12:00 INFO up\n2024-01-01 12:01 ERROR failed 3 times\n", "what programs print is read, tables"),
        ("epoch,f1\n1,0.5\n", "no curve that is a loss"),
        ('a,b\n"' + "x" * 200_000 + "\n", "no table that can be read"),
        ("   \n\n", "nothing but white space"),
        ("epoch,loss\n" + "1,2,3\n" * 5, "no row of numbers"),
    ],
)
def test_what_is_no_log_is_refused_in_a_sentence(log, text, said):
    with pytest.raises(LogError, match=said) as caught:
        log("log.csv", text)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_rows_of_another_length_are_left_out_and_counted(log, curve):
    (run,) = log("log.csv", "epoch,loss\n1,3\n2,2,9\n3,1\n4\n5,0.5\n")
    assert curve(run, "train_loss") == {1: 3.0, 3: 1.0, 5: 0.5}
    assert "2 rows have another number of cells" in " ".join(run.notes)


def test_tensorboards_export_says_its_curve_in_the_files_name(log, curve):
    (run,) = log("run-train-tag-epoch_loss.csv", "Wall time,Step,Value\n1.7e9,0,3.0\n1.7e9,1,2.0\n")
    assert curve(run, "train_loss") == {1: 3.0, 2: 2.0}


def test_a_chart_of_two_runs_is_two_runs(log, curve):
    head = ",".join(
        f'"{run} - val_loss","{run} - val_loss__MIN","{run} - val_loss__MAX"' for run in ("moon-3", "sun-2")
    )
    rows = "".join(f'"{n}","{a}","{a}","{a}","{b}","{b}","{b}"\n' for n, (a, b) in enumerate(((9, 8), (7, 5), (6, 2))))
    runs = log("wandb.csv", f'"epoch",{head}\n{rows}')
    assert [run.place.rpartition(", ")[2] for run in runs] == ["moon-3", "sun-2"]
    assert [list(curve(run, "val_loss").values()) for run in runs] == [[9, 7, 6], [8, 5, 2]]
    assert not any("__M" in signal.name for run in runs for signal in run.history.signals)


def test_german_words_commas_and_percent_signs(log, curve):
    head = "Epoche;Verlust;Val-Verlust;Genauigkeit;Validierungsgenauigkeit\n"
    text = head + "1;0,9;0,8;40,5 %;50,5 %\n2;0,6;0,7;60,0 %;70,0 %\n"
    (run,) = log("lauf.csv", text.encode("cp1252"))
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.6}
    assert curve(run, "val_loss") == {1: 0.8, 2: 0.7}
    assert curve(run, "train_accuracy") == pytest.approx({1: 0.405, 2: 0.6})
    assert curve(run, "val_accuracy") == pytest.approx({1: 0.505, 2: 0.7})


@pytest.mark.parametrize(
    "header", ["轮次,训练损失,验证损失", "دوره,زیان آموزش,زیان اعتبارسنجی", "Época,Perda treino,Perda validação"]
)
def test_headers_in_other_languages(log, curve, header):
    (run,) = log("log.csv", f"{header}\n1,0.9,0.8\n2,0.6,0.7\n")
    assert (curve(run, "train_loss"), curve(run, "val_loss")) == ({1: 0.9, 2: 0.6}, {1: 0.8, 2: 0.7})


def test_a_data_frame_as_it_is_printed(log, curve):
    (run,) = log(
        "out.txt", "   epoch  train_loss  val_loss\n0      1         0.9       0.8\n1      2         0.6       0.7\n"
    )
    assert (curve(run, "train_loss"), curve(run, "val_loss")) == ({1: 0.9, 2: 0.6}, {1: 0.8, 2: 0.7})


def test_a_table_on_its_side(log, curve):
    (run,) = log("log.csv", "train_loss,0.9,0.6,0.5\nval_loss,0.8,0.7,0.75\n")
    assert curve(run, "val_loss") == {1: 0.8, 2: 0.7, 3: 0.75}


def test_perplexity_is_the_power_of_a_loss(log, curve):
    (run,) = log("log.csv", "epoch,train_ppl,valid_ppl\n1,7.38905609893065,20.085536923187668\n2,1,2.718281828459045\n")
    assert curve(run, "train_loss") == pytest.approx({1: 2.0, 2: 0.0})
    assert curve(run, "val_loss") == pytest.approx({1: 3.0, 2: 1.0})
    assert "train_ppl is a perplexity: its logarithm was taken as train_loss" in run.notes


def test_perplexity_beside_a_loss_stays_what_it_is(log, curve):
    (run,) = log("log.csv", "epoch,loss,train_ppl\n1,2.5,20\n2,2.0,9\n")
    assert curve(run, "train_loss") == {1: 2.5, 2: 2.0}
    assert curve(run, "train_ppl") == {1: 20.0, 2: 9.0}


def test_exports_of_tensorboard_are_put_together(tmp_path, curve):
    for name, values in (("run-a_train", (0.9, 0.6)), ("run-a_validation", (0.8, 0.7)), ("run-b_train", (3, 2))):
        rows = "".join(f"167{n}.5,{n},{value}\n" for n, value in enumerate(values))
        (tmp_path / f"{name}-tag-epoch_loss.csv").write_text("Wall time,Step,Value\n" + rows, encoding="utf-8")
    runs = read(tmp_path)
    assert [list(curve(run, "train_loss").values()) for run in runs] == [[0.9, 0.6], [3.0, 2.0]]
    assert list(curve(runs[0], "val_loss").values()) == [0.8, 0.7]
    assert "2 exports were put together as one run" in " ".join(runs[0].notes)


def test_a_table_between_rules_as_matlab_prints_it(log, curve):
    text = (
        "|=====================================================|\n"
        "|  Epoch  |  Iteration  |  Mini-batch  |  Validation  |  Mini-batch  |  Validation  |  Base Learning  |\n"
        "|         |             |   Accuracy   |   Accuracy   |     Loss     |     Loss     |      Rate       |\n"
        "|=====================================================|\n"
        "|       1 |           1 |       10.16% |       12.10% |       2.3020 |       2.2910 |          0.0100 |\n"
        "|       1 |          50 |       50.00% |              |       1.3020 |              |          0.0100 |\n"
        "|       2 |         100 |       70.31% |       65.00% |       0.9020 |       1.0910 |          0.0100 |\n"
        "|=====================================================|\n"
    )
    (run,) = log("training.txt", text)
    assert curve(run, "val_loss") == {1: 2.291, 2: 1.091}
    assert curve(run, "val_accuracy") == pytest.approx({1: 0.121, 2: 0.65})
    assert curve(run, "train_loss") == pytest.approx({1: 1.802, 2: 0.902})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epoch,accuracy\n1,0.3\n2,0.4\n", "taken as train_accuracy; say --columns val_accuracy=accuracy where it is"),
        ("epoch,error_rate\n1,0.7\n2,0.6\n", "error_rate does not say its split: taken as of training"),
        ("epoch,loss,accuracy\n1,0.7,0.3\n2,0.6,0.4\n", ""),
        ("epoch,val_accuracy\n1,0.7\n2,0.6\n", ""),
    ],
)
def test_a_lone_accuracy_of_no_split_is_told(log, text, told):
    (run,) = log("log.csv", text)
    notes = [note for note in run.notes if "does not say its split" in note]
    assert [told in note for note in notes] == ([True] if told else [])


def test_the_way_out_of_a_lone_accuracy(log, curve):
    (run,) = log("log.csv", "epoch,accuracy\n1,0.3\n2,0.4\n", columns={"val_accuracy": "accuracy"})
    assert curve(run, "val_accuracy") == {1: 0.3, 2: 0.4}
    assert not any("does not say its split" in note for note in run.notes)
