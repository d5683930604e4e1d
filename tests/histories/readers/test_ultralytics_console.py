"""The table of YOLO's scripts: headers and rows of versions 5 to 8, of detection and classification."""

# ruff: noqa: E501 - these lines are as long as programs print them

import math

import pytest

TRAINED, TOP1 = [2.3, 1.7, 1.2], [0.2, 0.5, 0.4]
FULL = "100%|██████████| 8/8 [00:05<00:00,  1.59it/s]"
HALF = " 50%|█████     | 4/8 [00:02<00:02,  1.59it/s]"
VERSIONS = {
    "5": "     Epoch   gpu_mem       box       obj       cls    labels  img_size\n\r  0%|          | 0/8 [00:00<?, ?it/s]"
    "\r       {z}/2     3.62G   9.0   9.0   9.0       182       640: {half}\r       {z}/2     3.62G   {less:.2f}   0.2   0.1       182       640: {full}\n"
    "               Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95: {full}\n"
    "                 all        128        929      0.727      0.63       {a}      0.47\n\n",
    "7, with what is printed and what is drawn out of step": "     Epoch   gpu_mem       box       obj       cls     total    labels  img_size\n"
    "                 all         787        2054       0.736      0.0185     0.00493     0.00334\n"
    "   {z}/4999     55.1G   0.05461   0.01017   0.03715    {t}        26      1856: {full}\n"
    "               Class      Images      Labels           P           R      mAP@.5  mAP@.5:.95: {full}\n\n",
    "8": "\x1b[34m\x1b[1mtrain: \x1b[0mScanning labels... 128 images\n      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n"
    "        {n}/3      2.73G      {less:.2f}      0.1      0.2        215        640: {full}\n"
    "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): {full}\n"
    "                   all        128        929      0.647       0.54      {a}      0.46\n                person        128        254      0.9       0.9      0.9      0.9\n",
}


def _each(pattern):
    rows = enumerate(zip(TRAINED, TOP1, strict=True), start=1)
    return "".join(pattern.format(n=n, z=n - 1, t=t, a=a, less=t - 0.3, full=FULL, half=HALF) for n, (t, a) in rows)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_parts_of_the_loss_add_up(log, curve, near, points, version):
    text = (
        _each(VERSIONS[version])
        + "3 epochs completed in 0.010 hours.\nValidating best.pt...\n"
        + " all 128 929 1 1 1 1\n"
    )
    (run,) = log("train.log", "Starting training for 3 epochs...\n" + text)
    assert near(curve(run, "train_loss"), points(TRAINED))
    assert [curve(run, name) for name in ("val_loss", "val_accuracy", "train_accuracy")] == [None] * 3
    if version != "7, with what is printed and what is drawn out of step":
        assert "sum of" in " ".join(run.notes)
        assert near(curve(run, next(s.name for s in run.history.signals if "mAP" in s.name)), points(TOP1))


def test_classification_has_an_accuracy(log, curve, points):
    eight = "      Epoch    GPU_mem       loss  Instances       Size\n        {n}/3      0.53G      {t}         16        224: {full}\n               classes   top1_acc   top5_acc: {full}\n                   all      {a}      0.951\n\n"
    five = "\r       {n}/3     0.53G        9.99                                    : {half}\r       {n}/3     0.53G        {t}         1.5        {a}       0.951: {full}\n"
    (run,) = log("train.txt", _each(eight))
    assert curve(run, "train_loss") == points(TRAINED)
    assert curve(run, "val_accuracy") == points(TOP1)
    (run,) = log("train.txt", "     Epoch   GPU_mem  train_loss    test_loss    top1_acc    top5_acc\n" + _each(five))
    assert curve(run, "train_loss") == points(TRAINED)
    assert curve(run, "val_loss") == points([1.5] * 3)
    assert curve(run, "val_accuracy") == points(TOP1)


def test_an_epoch_that_was_stopped_is_left_out_and_nan_is_kept(log, curve):
    header = "      Epoch    GPU_mem   box_loss   obj_loss   cls_loss  Instances       Size\n"
    rows = f"        0/4       2.1G        1.5        1.0          0          7        640: {FULL}\n        1/4       2.1G        nan        nan          0          7        640: {FULL}\n"
    (run,) = log(
        "train.log",
        header + rows + f"        2/4       2.1G        9.5        1.0          0          7        640: {HALF}\n",
    )
    found = curve(run, "train_loss")
    assert list(found) == [1, 2]
    assert found[1] == 2.5
    assert math.isnan(found[2])
    assert "epoch 2 is not finished: left out" in run.notes
