"""Logs as people paste them into questions: what each line says, signal by signal, and what is refused how."""

# ruff: noqa: E501 - these lines are as long as programs print them

import json
import math

import pytest

from thalweg.core.errors import LogError

T, V, A, B = [2.41, 1.76, 1.29, 0.96], [2.51, 2.02, 1.64, 1.35], [0.35, 0.45, 0.55, 0.65], [0.31, 0.39, 0.47, 0.55]
TRUTH = {"train_loss": T, "val_loss": V, "train_accuracy": A, "val_accuracy": B, "batch_loss": T}
PASTED = r"""
=== errors without a sign: train_accuracy
Epoch {n}: error {ae:.2f}
=== errors of both splits: train_accuracy val_accuracy
Epoch {n}: train error {ae:.2f}, test error {be:.2f}
=== Encog: val_accuracy
Epoch #{n} Validation error:{be:.2f}
=== Torch: train_accuracy val_accuracy
==> online epoch # {n} [batchSize = 128]
Train accuracy: {ap} %	 time: 20.1 s
==> testing
Test accuracy:	{bp}
=== Torch's ResNets, whose top1 is an error: train_accuracy val_accuracy
 | Epoch: [{n}][1/196]    Time 1.2  Data 0.1  Err 6.9  top1  {aep}  top5  20.1
 | Test: [{n}][1/40]    Time 1.2  Data 0.1  top1  {bep} ( {bep})  top5  20.1 ( 20.1)
 * Finished epoch # {n}     top1:  {bep}  top5:  20.1
=== BigDL: train_loss
2017-08-20 16:11:38 INFO  DistriOptimizer$:295 - [Epoch {n} 7365/9871][Iteration {n}457][Wall Clock 19.7s] Train 1792 in 4.3seconds. Throughput is 408.4 records/second. Loss is {t}. Current learning rate is 0.04.
=== sentences: train_loss train_accuracy val_accuracy
Epoch {n} finished, training accuracy is {a}, validation accuracy is {b}, training loss is {t}
=== Tacotron, steps before numbers: train_loss val_loss
Train loss {n}00 {t} Grad Norm 1.1 2.2s/it
Validation loss {n}00:  {v}
=== loguru: train_loss val_loss val_accuracy
2023-01-01 10:10:0{n}.123 | INFO     | __main__:train:123 - Epoch {n} loss: {t}
2023-01-01 10:10:0{n}.123 | INFO     | __main__:validate:150 - Epoch {n} loss: {v} acc: {b}
=== Lasagne: train_loss val_loss val_accuracy
Epoch {n} of 500 took 1.234s
  training loss:		{t}
  validation loss:		{v}
  validation accuracy:		{bp} %
=== Marian: train_loss val_loss
[2020-01-01 10:10:10] Ep. 1 : Up. {n}000 : Sen. 10,000 : Cost {t} * 50,000 @ 100 : Time 10.1s : L.r. 3.0000e-04
[2020-01-01 10:10:10] [valid] Ep. 1 : Up. {n}000 : cross-entropy : {v} : new best
=== Sockeye: train_loss val_loss
[INFO:sockeye.training] Checkpoint [{n}]	Updates={n}000 Epoch=0 Samples=64000 Time-cost=10.1
[INFO:sockeye.training] Checkpoint [{n}]	Train-perplexity={tp}
[INFO:sockeye.training] Checkpoint [{n}]	Validation-perplexity={vp}
=== Kubernetes: train_loss val_loss
2023-01-01T10:10:0{n}.123456789Z stdout F Epoch {even}: train_loss={t} val_loss={v}
=== R's nnet: batch_loss
iter  {n}0 value {t}
=== eager tensors: train_loss train_accuracy
Epoch {n}: Loss: tf.Tensor({t}, shape=(), dtype=float32), Accuracy: tf.Tensor({a}, shape=(), dtype=float32)
=== a total behind its parts: train_loss train_accuracy
Epoch {n} train Loc Loss: 0.4 Cls Loss: 0.5 Tot Loss: {t} Accu :{a}
=== the one loss of another name: train_loss val_loss
Epoch: [{z}]  [480/504]  lr: 0.1  dice_loss: 9.9 (9.9)
Epoch: [{z}]  [500/504]  lr: 0.1  dice_loss: 0.7 ({t})
Test:  [50/50]  dice_loss: 0.7 ({v})
=== the total of losses of other names: train_loss
[epoch: {n}, iter: {n}00] loss_text_ce: 0.5 loss_mel_ce: 0.7 loss_gpt_total: {t}
=== NeMo: train_loss val_loss
Epoch {z}:  50%|     | 10/20 [00:10<00:10, v_num=1, reduced_train_loss={t}, global_step={n}0.0, val_loss={v}]
=== two bare counts: train_loss val_loss val_accuracy
Epoch: {z}
390 391 Loss: {t} | Acc: 40.00% (10/50000)
99 100 Loss: {v} | Acc: {bp}% (10/10000)
=== GluonCV, whose cost is a time: -
[Epoch {z}] Training cost: 20.1, ObjLoss=0.5, BoxCenterLoss=1.1
=== Paddle, whose cost is a time: train_loss
[01/01 10:10:10] ppdet.engine INFO: Epoch: [{z}] [ 0/100] learning_rate: 0.001 loss_xy: 0.5 loss: {t} batch_cost: 0.1
=== an RMSE: train_loss val_loss
Epoch {n} train RMSE {t} val RMSE {v}
=== PointNet: train_loss train_accuracy val_loss val_accuracy
[{n}: 0/500] train loss: {t} accuracy: {a}
[{n}: 0/500] test loss: {v} accuracy: {b}
=== a heading above its epoch, which was named before: train_loss val_loss val_accuracy
[Epoch: {z}, numImages:  1000]
Loss: {t}
Validation:
[Epoch: {z}, numImages:   100]
Acc:{b}, mIoU:0.4
Loss: {v}
=== a bar's word in brackets: train_loss
INFO: Epoch {n}/5:
INFO: Validation Dice score: 0.5
Epoch {n}/5: 100%|#####| 1000/1000 [00:10<00:00, 10.1img/s, loss (batch)={t}]
=== epochs with a point: train_loss val_loss
Epoch {n}.0 | loss {t} | val_loss {v}
=== epochs glued to their word: train_loss val_loss
Epoch{n}/5 loss: {t} val_loss: {v}
=== bits for each character: train_loss val_loss
epoch {n} bpc {t} valid bpc {v}
=== OpenMMLab by iterations: train_loss val_accuracy
2023-06-21 05:37:06,540 - mmseg - INFO - Iter [{n}00/500]	lr: 9.9e-03, decode.loss_ce: 0.2, decode.acc_seg: 20.0, loss: {t}
2023-06-21 05:37:06,540 - mmseg - INFO - Iter(val) [{n}00]	aAcc: {b}, mIoU: 0.5, mAcc: 0.6
=== Ignite's logger, named train: train_loss val_loss val_accuracy
2023-01-01 10:10:10,123 train INFO: Epoch[{n}/5], Iter[100/100]: loss {t}
2023-01-01 10:10:10,123 train INFO: Epoch {n} - Evaluation metrics: {{'accuracy': {b}, 'nll': {v}}}
=== MindSpore: train_loss val_loss val_accuracy
epoch: {n} step: 100, loss is {t}
metrics: {{'accuracy': {b}, 'loss': {v}}}
=== WeNet: train_loss val_loss
2021-01-01 10:10:10,123 INFO Epoch {z} TRAIN info lr 0.001
2021-01-01 10:10:10,123 DEBUG TRAIN Batch {z}/100 loss {t} loss_att 0.5 lr 0.001
2021-01-01 10:10:10,123 DEBUG CV Batch {z}/0 loss {v} loss_att 0.5 history loss {v}
2021-01-01 10:10:10,123 INFO Epoch {z} CV info cv_loss {v}
=== Kaldi: train_loss val_loss
LOG (nnet-train) ITERATION {n}: TRAIN AVG.LOSS {t}, (lrate0.008), CROSSVAL AVG.LOSS {v}, nnet accepted
=== mpirun: train_loss val_loss
[1,1]<stdout>:Epoch {n}/4
[1,0]<stdout>:Epoch {n}/4
[1,1]<stdout>:100/100 - 10s - loss: 9.9 - val_loss: 9.9
[1,0]<stdout>:100/100 - 10s - loss: {t} - val_loss: {v}
=== SageMaker: train_loss val_accuracy
[01/01/2023 10:10:10 INFO 140123] #quality_metric: host=algo-1, epoch={z}, train loss <loss>={t}
[01/01/2023 10:10:10 INFO 140123] #quality_metric: host=algo-1, epoch={z}, validation accuracy <score>={b}
=== dlib: batch_loss
step#: {n}00  learning rate: 0.1  average loss: {t}  steps without apparent progress: 10
=== Flax's clu: train_loss train_accuracy val_loss val_accuracy
I0101 10:11:0{n}.123456 140 logging_writer.py:48] [{n}00] accuracy={a}, loss={t}, learning_rate=0.1
I0101 10:11:0{n}.223456 140 logging_writer.py:48] [{n}00] eval_accuracy={b}, eval_loss={v}
=== MaxText: train_loss
completed step: {n}, seconds: 1.123, TFLOP/s/device: 100.1, Tokens/s/device: 1000.1, loss: {t}
=== Nielsen's book: train_accuracy
Epoch {z}: {count} / 10000
"""
"""Each begins with its name and the signals that it tells; what stands below is one epoch."""


def _each(pattern):
    return "".join(
        pattern.format(
            z=n, n=n + 1, even=2 * n, t=t, v=v, a=a, b=b, ae=1 - a, be=1 - b, count=round(10_000 * a),
            ap=f"{100 * a:.1f}", bp=f"{100 * b:.1f}", aep=f"{100 - 100 * a:.1f}", bep=f"{100 - 100 * b:.1f}",
            tp=math.exp(t), vp=math.exp(v),
        )
        for n, (t, v, a, b) in enumerate(zip(T, V, A, B, strict=True))
    )  # fmt: skip


CASES = {}
for section in PASTED.split("\n=== ")[1:]:
    heading, _, body = section.partition("\n")
    title, _, told = heading.rpartition(": ")
    CASES[title] = (f"{body}\n", () if told == "-" else told.split())


@pytest.mark.parametrize("name", [name for name, (_, told) in CASES.items() if told])
def test_what_is_pasted(log, curve, name):
    pattern, told = CASES[name]
    (run,) = log("run.log", _each(pattern))
    for signal in told:
        assert list(curve(run, signal).values()) == pytest.approx(TRUTH[signal]), signal
    assert not any("lines were counted" in note for note in run.notes)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (
            CASES["GluonCV, whose cost is a time"][0],
            "no curve that is a loss .* ObjLoss, BoxCenterLoss.* --columns train_l",
        ),
        (
            "[{z}/4][0/10] Loss_D: {t} Loss_G: {v} D(x): 0.5\n",
            r"two networks .* \(Loss_G, Loss_D\).* train_loss=Loss_G ",
        ),
        ("Epoch {n} [D loss: {t}, acc.: {ap}%] [G loss: {v}]\n", "two networks that play against each other"),
        ("Epoch {n} lr: 0.1 loss_qfl: {t} loss_bbox: {v}\n", r"it has lr, loss_qfl, loss_bbox\): say which is which"),
        ("Epoch {n}: {t}\n", r"no line of it prints a loss .* names no columns of numbers \(Epoch, 1:, 2\.41\)"),
    ],
)
def test_what_is_refused_and_the_way_out(log, pattern, said):
    with pytest.raises(LogError, match=said):
        log("run.log", _each(pattern))


def test_the_way_out_of_two_networks(log, curve, points):
    (run,) = log("run.log", _each("[{z}/4][0/10] Loss_D: {v} Loss_G: {t}\n"), columns={"train_loss": "Loss_G"})
    assert curve(run, "train_loss") == points(T)


def test_evaluations_of_one_epoch_are_counted_by_their_order(log, curve, points):
    rows = (
        json.dumps({"mode": "train", "epoch": 1, "iter": 100 * n, "loss": t})
        + "\n"
        + json.dumps({"mode": "val", "epoch": 1, "iter": 10, "aAcc": b})
        + "\n"
        for n, (t, b) in enumerate(zip(T, B, strict=True), start=1)
    )
    (run,) = log("one.log.json", "".join(rows))
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_accuracy") == points(B)


def test_a_cost_beside_a_loss_is_a_time(log, curve):
    (run,) = log("run.log", _each(CASES["Paddle, whose cost is a time"][0]))
    assert curve(run, "batch_loss") is None


def test_fractions_of_epochs_that_have_passed(log, curve):
    (run,) = log("run.log", "".join(f"epoch {n / 2}, loss {n}\n" for n in range(1, 5)))
    assert curve(run, "train_loss") == {1: 1.5, 2: 3.5}


def test_mxnets_log_loss_is_of_no_trees(log, curve, points):
    (run,) = log("run.log", _each("2016-12-20 23:56:11,097 Epoch[{z}] Validation-LogLoss={v}\n"))
    assert curve(run, "val_loss") == points(V)
    assert run.notes == ()


def test_an_accuracy_called_so_is_none_of_errors(log, curve):
    (run,) = log("run.log", _each("Epoch {n}: loss {t} val top1 acc {bp} val top5 acc 1.0\n"))
    assert list(curve(run, "val_accuracy").values()) == pytest.approx(B)


def test_a_rate_between_an_evaluation_and_its_epoch_is_of_no_split(log):
    text = _each("current lr 1.0e-01\nEpoch: [{z}] Loss {t}\nTest: [0/79] Loss {v}\n")
    (run,) = log("run.log", text)
    assert not any("learning_rate" in note for note in run.notes)


def test_the_curve_that_scikit_learn_keeps(log, curve, points):
    for name, kept in (("h.json", {"loss_curve_": T}), ("loss_curve.json", T)):
        (run,) = log(name, json.dumps(kept))
        assert curve(run, "train_loss") == points(T)


def test_cross_validation_of_xgboost_as_a_table(log, curve, points):
    (run,) = log("cv.csv", "iteration,train-rmse-mean,train-rmse-std,test-rmse-mean\n" + _each("{z},{t},0.1,{v}\n"))
    assert curve(run, "train_loss") == points(T)
    assert "each iteration adds a tree" in " ".join(run.notes)
