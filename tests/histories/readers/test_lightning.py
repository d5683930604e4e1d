def test_what_lightning_wrote(sample, curve, near, points):
    (run,), truth = sample("lightning", "metrics.csv")
    assert run.format == "Lightning CSVLogger"
    for ours, theirs in (("train_loss", "train_loss"), ("val_loss", "val_loss"), ("val_accuracy", "val_acc")):
        assert near(curve(run, ours), points(truth[theirs]))
    losses = {step + 1: loss for step, loss in truth["batch_loss"]}
    assert near(curve(run, "batch_loss"), {step: losses[step] for step in range(2, 31, 2)})
    assert curve(run, "learning_rate") == dict.fromkeys(range(1, 6), 0.2)


def test_steps_alone_give_the_loss_of_an_epoch(log, curve):
    rows = "epoch,step,train_loss,val_loss\n0,0,4,\n0,1,2,\n0,1,,5\n1,2,1,\n1,3,3,\n1,3,,6\n"
    (run,) = log("metrics.csv", rows)
    assert curve(run, "train_loss") == {1: 3.0, 2: 2.0}
    assert curve(run, "batch_loss") == {1: 4.0, 2: 2.0, 3: 1.0, 4: 3.0}
    assert curve(run, "val_loss") == {1: 5.0, 2: 6.0}


def test_several_evaluations_in_an_epoch_are_rounds(log, curve):
    rows = "epoch,step,train_loss,val_loss\n0,0,4,\n0,0,,9\n0,1,2,\n0,1,,8\n1,2,1,\n1,2,,7\n1,3,3,\n1,3,,6\n"
    (run,) = log("metrics.csv", rows)
    assert curve(run, "train_loss") == {1: 4.0, 2: 2.0, 3: 1.0, 4: 3.0}
    assert curve(run, "val_loss") == {1: 9.0, 2: 8.0, 3: 7.0, 4: 6.0}
    assert "several evaluations in an epoch" in " ".join(run.notes)
