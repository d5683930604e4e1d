def test_what_ultralytics_reported(sample, curve, near, points):
    (run,), truth = sample("ultralytics", "results.csv")
    rows = truth["rows"][:3]  # a fourth is of the best weights, after the end
    assert near(curve(run, "train_loss"), points([row["train"]["loss"] for row in rows]), 1e-4)
    assert near(curve(run, "val_loss"), points([row["val/loss"] for row in rows]))
    assert near(curve(run, "val_accuracy"), points([row["metrics/accuracy_top1"] for row in rows]))
    assert curve(run, "train_accuracy") is None


def test_padded_headers_epochs_from_0_and_several_losses(log, curve):
    rows = (
        ("epoch", "train/box_loss", "train/cls_loss", "metrics/mAP50(B)", "val/box_loss", "val/cls_loss"),
        (0, 1.5, 2.5, 0.1, 1.0, 4.0),
        (1, 1.0, 2.0, 0.2, 0.5, 3.0),
    )
    text = "".join(",".join(f"{cell:>23}" for cell in row) + "\n" for row in rows)
    (run,) = log("results.csv", text)
    assert curve(run, "train_loss") == {1: 4.0, 2: 3.0}
    assert curve(run, "val_loss") == {1: 5.0, 2: 3.5}
    assert "sum of train/box_loss, train/cls_loss" in " ".join(run.notes)
