def test_what_fastai_reported(sample, curve, near, points):
    (run,), truth = sample("fastai", "history.csv")
    assert run.format == "fastai CSVLogger"
    for place, ours in enumerate(("train_loss", "val_loss", "val_accuracy")):
        assert near(curve(run, ours), points([row[place] for row in truth["rows"]]))
    assert curve(run, "train_accuracy") is None


def test_an_error_rate_becomes_an_accuracy_and_times_add_up(log, curve):
    (run,) = log("history.csv", "epoch,train_loss,valid_loss,error_rate,time\n0,2,3,0.25,01:30\n1,1,2,0.125,00:30\n")
    assert curve(run, "val_accuracy") == {1: 0.75, 2: 0.875}
    assert curve(run, "seconds") == {1: 90.0, 2: 120.0}
    assert "error rate" in " ".join(run.notes)
