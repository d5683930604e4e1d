"""Lines as programs print them: every format here is of a program that people use, with the same three epochs."""

# ruff: noqa: E501 - these lines are as long as programs print them

import math

import pytest

from thalweg.core.errors import LogError

TRAINED, HELD_OUT, RIGHT = [0.9, 0.6, 0.5], [0.8, 0.7, 0.75], [0.5, 0.7, 0.6]


def _each(pattern):
    """A pattern for each epoch: `{t}`, `{v}` and `{a}` as above, `{p}` a percentage, `{n}` from 1 and `{z}` from 0."""
    rows = zip(TRAINED, HELD_OUT, RIGHT, strict=True)
    return "".join(
        pattern.format(t=t, v=v, a=a, p=100 * a, n=n, z=n - 1, twice=2 * t, more=t + 0.2, less=t - 0.2)
        for n, (t, v, a) in enumerate(rows, start=1)
    )


PROGRAMS = {
    "one line": "Epoch {n}: train_loss={t}, val_loss={v}, val_acc={a}\n",
    "words": "epoch {n}, train loss {t}, test loss {v}, test acc {a}, time 4.1 sec\n",
    "two halves": "Epoch {n}\nTrain: loss {t} acc 0.4 | Val: loss {v} acc {a}\n",
    "halves in a line": "Epoch: {n}, Train Loss: {t}, Acc: 40.00%, Val. Loss: {v}, Acc: {p}%\n",
    "numbered in brackets": "[{n:03d}/030] Train Acc: 0.4 Loss: {t} | Val Acc: {a} loss: {v}\n",
    "averages": "Epoch {n} - avg_train_loss: {t}  avg_val_loss: {v}  time: 12s\nEpoch {n} - val acc: {a}\n",
    "checkpoints": "Epoch: {n} \tTraining Loss: {t} \tValidation Loss: {v} \tVal Acc: {a}\n"
    "Validation loss decreased (0.9 --> 0.1).  Saving model ...\nNew best accuracy: 0.99\n",
    "the trainer of ImageNet": "Epoch: [{z}][  0/500]\tTime  0.3 ( 0.4)\tLoss 3.0e+00 (3.0e+00)\tAcc@1  40.2 ( 40.1)\n"
    "Epoch: [{z}][499/500]\tTime  0.3 ( 0.4)\tLoss 2.0e+00 ({t})\tAcc@1  40.2 ( 40.1)\n"
    "Test: [ 0/19]\tTime  3.1 ( 3.1)\tLoss 7.1 (7.2)\tAcc@1  99.2 ( 99.1)\n"
    "Test: [18/19]\tTime  3.1 ( 3.1)\tLoss 7.1 ({v})\tAcc@1  99.2 ( 99.1)\n *   Acc@1 {p} Acc@5 99.010\n",
    "references of torchvision": "Epoch: [{z}]  [ 0/50]  eta: 0:20:12  lr: 0.1  img/s: 512.1  loss: 3.0 (3.0)  acc1: 1.0 (1.0)"
    "  time: 0.5121  max mem: 10231\nEpoch: [{z}]  [40/50]  eta: 0:20:12  lr: 0.1  img/s: 512.1  loss: 2.0 ({t})"
    "  acc1: 1.0 (1.0)  time: 0.5121  max mem: 10231\nEpoch: [{z}] Total time: 0:10:12\n"
    "Test:   [ 0/39]  eta: 0:01:12  loss: 9.0 ({v})  acc1: 9.0 ({p})  time: 0.18  max mem: 10231\n",
    "timm": "Train: {z} [   0/196 (  0%)]  Loss: 3.00 (3.00)  Time: 0.312s,  820.31/s  LR: 5.000e-02\n"
    "Train: {z} [ 195/196 (100%)]  Loss: 2.00 ({t})  Time: 0.312s,  820.31/s  LR: 5.000e-02\n"
    "Test: [  39/39]  Time: 0.531 (0.531)  Loss:   9.000 ({v:>6.3f})  Acc@1:  9.0 ({p:>7.3f})  Acc@5:  99.2 ( 99.3)\n",
    "example of MNIST": "Train Epoch: {n} [0/60000 (0%)]\tLoss: {more}\nTrain Epoch: {n} [640/60000 (1%)]\tLoss: {less}\n"
    "\nTest set: Average loss: {v}, Accuracy: {a}/1 (60%)\n\n",
    "quick start of PyTorch": "Epoch {n}\n-----------\nloss: {more}  [   64/60000]\nloss: {less}  [ 6464/60000]\n"
    "Test Error: \n Accuracy: {p}%, Avg loss: {v} \n\n",
    "two bars": "\nEpoch: {z}\n [====>]  Step: 21ms | Tot: 12s312ms | Loss: {t} | Acc: 40.3% (12/50)  391/391 \n"
    " [====>]  Step: 21ms | Tot: 2s312ms | Loss: {v} | Acc: {p}% (12/50)  100/100 \nSaving..\n",
    "MMEngine": "2023/01/01 10:11:01 - mmengine - INFO - Epoch(train)   [{n}][100/391]  lr: 1.0000e-01  eta: 0:10:01"
    "  time: 0.0312  memory: 512  loss: {more}\n2023/01/01 10:11:02 - mmengine - INFO - Epoch(train)   [{n}][200/391]"
    "  lr: 1.0000e-01  eta: 0:10:01  time: 0.0312  memory: 512  loss: {less}\n"
    "2023/01/01 10:11:03 - mmengine - INFO - Saving checkpoint at {n} epochs\n"
    "2023/01/01 10:11:04 - mmengine - INFO - Epoch(val) [{n}][79/79]    accuracy/top1: {p}  loss: {v}  time: 0.0203\n",
    "MMCV": "2022-01-01 10:11:01,123 - mmcls - INFO - Epoch [{n}][100/391]\tlr: 1.000e-01, eta: 0:10:01, loss: {t}\n"
    "2022-01-01 10:11:02,123 - mmcls - INFO - Epoch(val) [{n}][79]\taccuracy_top-1: {p}, loss: {v}\n",
    "PaddleClas": "[2023/01/01 10:11:01] ppcls INFO: [Train][Epoch {n}/40][Iter: 0/40]lr(LinearWarmup): 0.0125, top1: 0.4, "
    "loss: 3.0, batch_cost: 0.51s, ips: 62.31/s\n[2023/01/01 10:11:02] ppcls INFO: [Train][Epoch {n}/40][Avg]top1: 0.4, "
    "loss: {t}\n[2023/01/01 10:11:03] ppcls INFO: [Eval][Epoch {n}][Iter: 0/10]loss: 9.0, top1: 0.1, ips: 6 images/sec\n"
    "[2023/01/01 10:11:04] ppcls INFO: [Eval][Epoch {n}][Avg]loss: {v}, top1: {a}\n",
    "Paddle": "Epoch {n}/3\nstep 100/100 - loss: {t} - acc: 0.4 - 11ms/step\nEval begin...\n"
    "step 20/20 - loss: {v} - acc: {a} - 8ms/step\nEval samples: 2000\n",
    "nnU-Net": "2023-01-01 10:10:10.1: Epoch {z} \n2023-01-01 10:12:10.1: train_loss {t} \n2023-01-01 10:12:10.1: val_loss "
    "{v} \n2023-01-01 10:12:10.1: val_acc {a} \n2023-01-01 10:12:10.1: Epoch time: 120.12 s \n",
    "a bar of Lightning": "\rEpoch {z}:  50%|#####     | 50/100 [00:05<00:05, 12.3it/s, v_num=3, train_loss=7.0]"
    "\rEpoch {z}: 100%|##########| 100/100 [00:10<00:00, 12.3it/s, v_num=3, train_loss={t}, val_loss={v}, val_acc={a}]\n",
    "Ignite": "Epoch[{n}] Iteration[100/938] Loss: 7.0\nTraining Results - Epoch: {n}  Avg accuracy: 0.4 Avg loss: {t}\n"
    "Validation Results - Epoch: {n}  Avg accuracy: {a} Avg loss: {v}\n",
    "Persian": "دوره {n}: زیان آموزش={t} زیان اعتبارسنجی={v} دقت اعتبارسنجی={a}\n",
    "Chinese": "第{n}轮 训练损失: {t}, 验证损失: {v}, 验证准确率: {a}\n",
    "boosting": "[{z}]\ttrain-mlogloss:{t}\teval-mlogloss:{v}\teval-acc:{a}\n",
    "Swin": "[2021-08-01 10:10:10 swin](main.py 229): INFO Train: [{z}/300][0/1251]\tlr 0.1\tloss 9.0 (9.0)\tmem 100MB\n"
    "[2021-08-01 10:10:10 swin](main.py 229): INFO Train: [{z}/300][1250/1251]\tlr 0.1\tloss 2.0 ({t})\tmem 100MB\n"
    "[2021-08-01 10:10:10 swin](main.py 275): INFO Test: [0/98]\tTime 3.0 (3.0)\tLoss 9.0 (9.0)\tAcc@1 9.0 (9.0)\n"
    "[2021-08-01 10:10:10 swin](main.py 275): INFO Test: [90/98]\tTime 3.0 (3.0)\tLoss 9.0 ({v})\tAcc@1 9.0 (9.0)\n"
    "[2021-08-01 10:10:10 swin](main.py 282): INFO  * Acc@1 {p} Acc@5 90.0\n",
    "DeiT": "Epoch: [{z}]  [  0/312]  eta: 0:10:10  lr: 0.1  loss: 9.0 (9.0)  time: 2.0\n"
    "Epoch: [{z}]  [311/312]  eta: 0:00:00  lr: 0.1  loss: 2.0 ({t})  time: 0.4\nAveraged stats: lr: 0.1  loss: 2.0 ({t})\n"
    "Test:  [ 0/53]  eta: 0:01:00  loss: 9.0 (9.0)  acc1: 9.0 (9.0)  time: 1.0\n"
    "Test:  [52/53]  eta: 0:00:00  loss: 2.0 ({v})  acc1: 9.0 ({p})  time: 0.1\n* Acc@1 {p} Acc@5 95.000 loss {v}\n",
    "columns of spaces, and remarks on the best": "Epoch {n}/30\n------\nTraining: 100%|####| 125/125 [00:15<00:00,  8.12it/s]\n"
    "Validation: 100%|####| 25/25 [00:02<00:00, 10.45it/s]\n\nResults:\n  Train Loss: {t} | Train Acc: 0.4\n"
    "  Val Loss:   {v} | Val Acc:   {a}\n  Saved new best model (val_acc: 0.99)\n",
    "the network's own level in front": "2023-01-01 10:10:10 INFO Epoch {n} train_loss {t} val_loss {v} val_acc {a}\n",
    "a book's network": "Epoch {z} training complete\nCost on training data: {t}\nAccuracy on training data: 400 / 1000\n"
    "Cost on evaluation data: {v}\nAccuracy on evaluation data: {a} \n\n",
    "commas for points": "Epoch {n}; train_loss {t:.2f}; val_loss {v:.2f}; val_acc {a:.2f};\n",
    "colours and quotes": "> \x1b[32mepoch={n}\x1b[0m train_loss=\x1b[1m{t}\x1b[0m val_loss={v} val_acc={a}\n",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_program_prints_is_read(log, curve, name):
    text = _each(PROGRAMS[name])
    text = text.replace(".", ",").replace(";", " ; ") if name == "commas for points" else text
    (run,) = log("train.log", f"Namespace(lr=0.1, epochs=90)\n==> Preparing data..\n{text}")
    got = [curve(run, each) for each in ("train_loss", "val_loss", "val_accuracy")]
    for found, wanted in zip(got, (TRAINED, HELD_OUT, RIGHT), strict=True):
        assert list(found) == [1, 2, 3]
        assert list(found.values()) == pytest.approx(wanted)


BY_STEP = {
    "nanoGPT": "step {s}: train loss {t}, val loss {v}\niter {s}: loss 0.7, time 30.12ms, mfu 17.20%\n",
    "MLX": "Iter {s}: Train loss {t}, Learning Rate 2.000e-05, It/sec 2.4, Trained Tokens 3811\n"
    "Iter {s}: Val loss {v}, Val took 3.707s\n",
    "an estimator of TensorFlow": "INFO:tensorflow:loss = {t}, step = {s} (0.512 sec)\n"
    "INFO:tensorflow:Saving dict for global step {s}: accuracy = 0.4, global_step = {s}, loss = {v}\n",
    "with full stops": "Step: {s}. Time Elapsed: 12.1 s. Train loss: {t}. Val loss: {v}.\n",
    "Caffe": "I0101 10:11:00.1 12 solver.cpp:337] Iteration {s}, Testing net (#0)\n"
    "I0101 10:11:00.2 12 solver.cpp:404]     Test net output #0: loss = {v} (* 1 = {v} loss)\n"
    "I0101 10:11:00.3 12 solver.cpp:228] Iteration {s} (5.3 iter/s, 18.9s/100 iters), loss = {t}\n"
    "I0101 10:11:00.4 12 sgd_solver.cpp:106] Iteration {s}, lr = 0.01\n",
}


@pytest.mark.parametrize("name", BY_STEP)
def test_what_counts_steps_is_counted_by_its_evaluations(log, curve, name):
    rows = zip((100, 200, 300), TRAINED, HELD_OUT, strict=True)
    text = "batch = 64\n" + "".join(BY_STEP[name].format(s=s, t=t, v=v) for s, t, v in rows)
    (run,) = log("out.txt", text)
    assert list(curve(run, "train_loss").values()) == TRAINED
    assert list(curve(run, "val_loss").values()) == HELD_OUT
    assert "from one evaluation to the next" in " ".join(run.notes)


BATCHES = {
    "iter": "iter {s}: loss {t}\n",
    "Detectron2": "[01/01 10:00:01 d2.utils.events]:  eta: 0:12:01  iter: {s}  total_loss: {t}  loss_cls: .9  lr: 0.001\n",
    "darknet": "v3 (iou loss, Normalizer: (iou: 0.07, cls: 1.00) Region 30 Avg (IOU: 0.412), total_loss = 99.9 \n"
    " {s}: {t}, 5.3 avg loss, 0.001000 rate, 3.212312 seconds, 64 images, 12.1 hours left\n",
}


@pytest.mark.parametrize("name", BATCHES)
def test_losses_of_steps_alone_are_those_of_batches(log, curve, name):
    losses = [9.0, 8.0, math.nan, 7.0]
    text = "".join(BATCHES[name].format(s=s, t=t) for s, t in zip((10, 20, 30, 40), losses, strict=True))
    (run,) = log("out.txt", text)
    assert list(curve(run, "batch_loss").values()) == pytest.approx(losses, nan_ok=True)
    assert not any("99.9" in str(signal.values) and "loss" in signal.name for signal in run.history.signals)


def test_batches_of_an_epoch_are_kept_beside_their_mean(log, curve):
    text = "".join(
        f"Epoch [{epoch}/5], Step [{step}00/600], Loss: {loss}\n"
        for epoch, losses in enumerate(((3.0, 2.0), (1.5, 1.0), (0.8, 0.4)), start=1)
        for step, loss in enumerate(losses, start=1)
    )
    (run,) = log("out.log", text)
    assert curve(run, "train_loss") == pytest.approx({1: 2.5, 2: 1.25, 3: 0.6})
    assert list(curve(run, "batch_loss").values()) == [3.0, 2.0, 1.5, 1.0, 0.8, 0.4]


def test_nan_is_nan_in_the_running_mean_as_well(log, curve):
    text = "".join(
        f"Epoch: [{n}][9/10]\tLoss {t} ({t})\tAcc@1 10.0 (10.0)\n" for n, t in enumerate(("0.9", "nan", "nan"))
    )
    (run,) = log("out.log", text)
    assert str(curve(run, "train_loss")) == "{1: 0.9, 2: nan, 3: nan}"


def test_what_is_missing_at_the_end_is_missing_and_no_nan(log, curve):
    """In a table an empty cell at the end may be pandas' NaN; a line that was not printed is none."""
    (run,) = log("out.log", _each("Epoch {n}: train_loss={t} acc={a}\n") + "Epoch 4: acc=0.7\n")
    assert curve(run, "train_loss") == {1: 0.9, 2: 0.6, 3: 0.5}


def test_two_bars_are_told_apart_by_their_lengths_and_that_is_said(log):
    (run,) = log("out.log", _each(PROGRAMS["two bars"]))
    assert "to 391 and to 100, neither named: taken as training and validation" in " ".join(run.notes)


def test_runs_one_after_another_are_told_apart(log, curve):
    fold = _each("Epoch {n}: train_loss={t}, val_loss={v}\n")
    runs = log("out.log", f"Fold 1\n{fold}Fold 2\n{fold}")
    assert [list(curve(run, "val_loss").values()) for run in runs] == [HELD_OUT, HELD_OUT]


def test_lines_without_a_counter_are_counted_and_that_is_said(log, curve):
    (run,) = log("out.log", "".join(f"train loss: {t}, val loss: {t}\n" for t in TRAINED))
    assert list(curve(run, "train_loss").values()) == TRAINED
    assert "lines were counted" in " ".join(run.notes)


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 1\nEpoch 2\nEpoch 3\n",
        "the loss of 3 ships in epoch 2 of the empire: 5 fleets\n" * 5,
        "batch = 64\nlr = 0.1\nloss = cross_entropy\n",
        "a: " * 50_000 + "loss 0.5",
        "loss" * 100_000 + " 0.5",
        "epoch " + "9" * 400 + ": hello\n",
        "(((((" * 50_000 + "\n",
        "Test: \x1b[999999mloss\n" * 10,
        "[1/5][0/938] Loss_D: 0.9 Loss_G: 1.9\n" * 4,
    ],
)
def test_what_prints_no_loss_is_refused_in_one_line(log, text):
    with pytest.raises(LogError) as told:
        log("out.log", text)
    assert "\n" not in str(told.value)
    assert "JSON without a list" not in str(told.value)


UNCOUNTED = {
    "bars without an epoch, then sums": "100%|####| 391/391 [00:10<00:00, 38.1it/s]\nTrain Loss: {t} Acc: 0.4\n"
    "100%|####| 79/79 [00:01<00:00, 60.1it/s]\nVal Loss: {v} Acc: {a}\n",
    "one bar for all": "\rTraining:  33%|##    | {n}/3 [00:10<00:10, 1.1s/it, train_loss={t}, val_loss={v}, val_acc={a}]",
    "one line that is drawn again": "Iteration {n} | train loss: {t} | val loss: {v} | val acc: {a}\r",
    "Megatron": " iteration      {n}00/     500 | learning rate: 1.0E-1 | lm loss: {t} | loss scale: 1.0 | grad norm: 1.2 | "
    "number of skipped iterations: 0 | number of nan iterations: 0 |\n validation loss at iteration {n}00 | lm loss value: {v}"
    " | lm loss PPL: 9 | val acc: {a}\n",
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_what_names_no_epoch(log, curve, points, name):
    (run,) = log("train.log", _each(UNCOUNTED[name]))
    assert curve(run, "train_loss") == points(TRAINED)
    assert curve(run, "val_loss") == points(HELD_OUT)
    assert curve(run, "val_accuracy") == points(RIGHT)


@pytest.mark.parametrize("line", ["Cost after iteration {n}: {t}\n", "Cost after epoch {n}: {t}\n"])
def test_a_cost_after_a_number(log, curve, points, line):
    (run,) = log("train.log", _each(line))
    assert curve(run, "train_loss") == points(TRAINED)


def test_iterations_of_a_long_run_are_no_epochs(log, curve, points):
    (run,) = log("train.log", _each("[{n}000/300000] Train loss: {t}, Valid loss: {v}, Elapsed_time: 404.2\n"))
    assert curve(run, "train_loss") == points(TRAINED)
    assert curve(run, "val_loss") == points(HELD_OUT)


SECTIONS = {
    "metrics of either split in its own line": "10:10:10,123:INFO: Epoch {n}/5\n10:10:10,123:INFO: - Train metrics: accuracy: 0.4 ; loss: {t}\n"
    "10:10:10,123:INFO: - Eval metrics : accuracy: {a} ; loss: {v}\n",
    "Coqui": "\n > EPOCH: {z}/5\n\n > TRAINING (2022-01-01 10:10:10) \n\n   --> STEP: 24/25 -- GLOBAL_STEP: {n}25\n"
    "     | > loss: 9.0  ({t})\n\n > EVALUATION \n\n   --> STEP: 2\n     | > loss: 9.0  ({v})\n     | > acc: 9.0  ({a})\n",
    "PaddleOCR": "[2022/01/01 10:10:10] ppocr INFO: epoch: [{n}/5], global_step: {n}0, lr: 0.1, acc: 0.4, loss: {t}, eta: 0:01:00\n"
    "[2022/01/01 10:10:10] ppocr INFO: cur metric, acc: {a}, loss: {v}, fps: 100\n"
    "[2022/01/01 10:10:10] ppocr INFO: best metric, acc: 0.99, best_epoch: 1\n",
    "a running mean beside the epoch's": "{z}/3(t): 100%|#| 50/50 [00:01<00:00, 30it/s, running_acc=0.9, running_loss=9.9, acc=0.4, "
    "loss={t}]\n{z}/3(v): 100%|#| 10/10 [00:00<00:00, 60it/s, val_acc={a}, val_loss={v}]\n",
}


@pytest.mark.parametrize("name", SECTIONS)
def test_sections_of_an_epoch(log, curve, name):
    (run,) = log("train.log", _each(SECTIONS[name]))
    assert list(curve(run, "train_loss").values()) == TRAINED
    assert list(curve(run, "val_loss").values()) == HELD_OUT
    assert list(curve(run, "val_accuracy").values()) == RIGHT
