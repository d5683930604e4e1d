def test_what_was_logged_is_read(sample, curve, near, points):
    runs, truth = sample("trackio", "sample.db")
    assert [run.place.rpartition(" ")[2] for run in runs] == ["calm", "burst"]
    for run in runs:
        for name in ("train_loss", "val_loss", "val_accuracy"):
            assert near(curve(run, name), points([row[name] for row in truth[run.place.rpartition(" ")[2]]]))
