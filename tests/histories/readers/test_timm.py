def test_what_the_program_gave_to_timm(sample, curve, near, points):
    (run,), truth = sample("timm", "summary.csv")
    for place, ours in enumerate(("train_loss", "val_loss", "val_accuracy")):
        assert near(curve(run, ours), points([row[place] for row in truth["rows"]]))


def test_percentages_below_one_are_percentages_too(log, curve, near):
    (run,) = log("summary.csv", "epoch,train_loss,eval_loss,eval_top1,eval_top5\n0,7,7,0.1,0.5\n1,7,7,0.1,0.5\n")
    assert near(curve(run, "val_accuracy"), {1: 0.001, 2: 0.001})


def test_a_repeated_header_is_no_row(log, curve):
    header = "epoch,train_loss,eval_loss,eval_top1\n"
    (run,) = log("summary.csv", f"{header}0,4,4,10\n1,3,3,20\n{header}1,2.5,2.5,30\n2,2,2,40\n")
    assert curve(run, "train_loss") == {1: 4.0, 2: 2.5, 3: 2.0}
    assert not any("cells" in note or "rows" in note for note in run.notes)
