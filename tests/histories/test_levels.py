import pytest

T, V, A, B = [3.0, 2.0, 1.0], [3.5, 2.5, 2.0], [0.1, 0.5, 0.8], [0.1, 0.4, 0.6]
ROWS = list(enumerate(zip(T, A, V, B, strict=True)))
BODY = "".join(f"{n},{t},{a},{v},{b}\n" for n, (t, a, v, b) in ROWS)
FROM_1 = "".join(f"{n + 1},{t},{a},{v},{b}\n" for n, (t, a, v, b) in ROWS)
TABLES = {
    "levels without names": ",train,train,val,val\n,loss,acc,loss,acc\n" + BODY,
    "the index has a name": ",train,train,val,val\n,loss,acc,loss,acc\nepoch,,,,\n" + FROM_1,
    "the levels have names": "split,train,train,val,val\nmetric,loss,acc,loss,acc\n" + BODY,
    "all have names": "split,train,train,val,val\nmetric,loss,acc,loss,acc\nepoch,,,,\n" + FROM_1,
    "the other way round": ",loss,acc,loss,acc\n,train,train,val,val\nepoch,,,,\n" + FROM_1,
    "without an index": "train,train,val,val\nloss,acc,loss,acc\n"
    + "".join(f"{t},{a},{v},{b}\n" for _, (t, a, v, b) in ROWS),
    "epochs are a column": "epoch,train,train,val,val\n,loss,acc,loss,acc\n" + FROM_1,
    "beside an index": ",epoch,train,train,val,val\n,,loss,acc,loss,acc\n"
    + "".join(f"{n},{n + 1},{t},{a},{v},{b}\n" for n, (t, a, v, b) in ROWS),
    "merged cells": ",train,,val,\nepoch,loss,acc,loss,acc\n" + FROM_1,
    "written once more": "Unnamed: 0_level_0,train,train,val,val\nUnnamed: 0_level_1,loss,acc,loss,acc\n" + BODY,
    "three levels": ",net,net,net,net\n,train,train,val,val\n,loss,acc,loss,acc\n" + BODY,
    "decimal commas": ";train;train;val;val\n;loss;acc;loss;acc\nepoch;;;;\n"
    + FROM_1.replace(",", ";").replace(".", ","),
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_headers_of_several_rows(log, curve, points, text):
    (run,) = log("log.csv", text)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "train_accuracy") == points(A)
    assert curve(run, "val_loss") == points(V)
    assert curve(run, "val_accuracy") == points(B)
    assert any("header has several rows" in note for note in run.notes)


@pytest.mark.parametrize(
    "above", [",one,one,two,two\n,loss,val_loss,loss,val_loss\n", "epoch,one,,two,\n,loss,val_loss,loss,val_loss\n"]
)
def test_a_level_of_runs_gives_runs(log, curve, points, above):
    rows = "".join(f"{n + 1},{t},{v},{2 * t},{2 * v}\n" for n, (t, _, v, _) in ROWS)
    one, two = log("log.csv", above + rows)
    assert one.place.endswith("log.csv, one")
    assert curve(one, "val_loss") == points(V)
    assert curve(two, "train_loss") == points([2 * each for each in T])


def test_summaries_of_seeds_are_no_runs(log, curve, points):
    rows = "".join(f"{n},{t},0.1,{v},0.2\n" for n, (t, _, v, _) in ROWS)
    (run,) = log("log.csv", ",train_loss,train_loss,val_loss,val_loss\n,mean,std,mean,std\n" + rows)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)
    assert curve(run, "train_loss/std") == points([0.1] * 3)


@pytest.mark.parametrize("units", ["-,nats,%,nats,%", ",[nats],[%],[nats],[%]", "a,b,c,d,e"])
def test_a_row_of_units_is_no_level(log, curve, points, units):
    (run,) = log("log.csv", f"epoch,loss,acc,val_loss,val_acc\n{units}\n" + FROM_1)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_accuracy") == points(B)


def test_rows_of_several_runs_below_two_levels(log, curve, points):
    rows = "".join(f"{run},{n + 1},{t + run},{v}\n" for run in (0, 1) for n, (t, _, v, _) in ROWS)
    one, two = log("log.csv", ",,train,val\n,,loss,loss\nrun,epoch,,\n" + rows)
    assert curve(one, "train_loss") == points(T)
    assert curve(two, "train_loss") == points([each + 1 for each in T])
