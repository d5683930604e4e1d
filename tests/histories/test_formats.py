"""What many programs write, each in a few lines of its own form, with what they meant: signal by signal."""

import json
import math

import pytest

from thalweg.core.errors import LogError

T, V, A, B = [2.41, 1.76, 1.29, 0.96], [2.51, 2.02, 1.64, 1.35], [0.35, 0.45, 0.55, 0.65], [0.31, 0.39, 0.47, 0.55]
BOTH = ("train_loss", "val_loss")
ALL = (*BOTH, "train_accuracy", "val_accuracy")
TRUTH = {"train_loss": T, "val_loss": V, "train_accuracy": A, "val_accuracy": B, "batch_loss": T}
FORMATS = r"""
=== Ignite: all
Epoch[{n}] Iteration[100/938] Loss: 9.9
Training Results - Epoch: {n}  Avg accuracy: {a} Avg loss: {t}
Validation Results - Epoch: {n}  Avg accuracy: {b} Avg loss: {v}
=== Catalyst, epochs below: all
train ({n}/4) accuracy01: {a} | loss: {t} | loss/std: 0.2 | lr: 0.1
valid ({n}/4) accuracy01: {b} | loss: {v} | loss/std: 0.2 | lr: 0.1
* Epoch ({n}/4) lr: 0.1 | momentum: 0.9
=== llama-recipes, epochs below: losses
eval_ppl=tensor({vp}, device='cuda:0') eval_epoch_loss=tensor({v}, device='cuda:0')
best eval loss on epoch {n} is {v}
Epoch {n}: train_perplexity={tp}, train_epoch_loss={t}, epoch time 9.1s
=== a perplexity of validation: val_loss
04/01 10:10:1{n} - INFO - epoch {z}: perplexity: {vp} eval_loss: {v}
=== Flux: all
Epoch: {n}   Train: (loss = {t}f0, acc = {ap})   Test: (loss = {v}f0, acc = {bp})
=== Flux's macro: train_loss val_loss val_accuracy
┌ Info: epoch {n}
│   train_loss = {t}
│   test_loss = {v}
└   test_acc = {b}
=== GluonTS: train_loss
INFO:gluonts.trainer:Epoch[{z}] Learning rate is 0.001
INFO:gluonts.trainer:Epoch[{z}] Evaluation metric 'epoch_loss'={t}
=== a summary below its steps: all
Step {n}000 | loss=9.9 | time=0.331s | VRAM=115MB
====
Epoch {n} Summary:
   Loss (avg): {t} [decreasing]
Train Accuracy: {ap}% | LR: 0.1
Test Accuracy: {bp}% | Test Loss: {v}
=== without a count, below bars: all
Training on batches...
100%|##|782/782 [02:40<00:00, 4.86it/s]
Validation on batches...
100%|##|782/782 [00:46<00:00, 16.80it/s]
  train_loss: {t} - val_loss: {v} - train_acc: {a} - valid_acc: {b}
=== PyTorch's example of an autoencoder: losses
Train Epoch: {n} [0/60000 (0%)]	Loss: 9.9
Train Epoch: {n} [51200/60000 (85%)]	Loss: 9.8
====> Epoch: {n} Average loss: {t}
====> Test set loss: {v}
=== a bar and a bare line: all
TRAIN Epoch:{z} Loss:{t} Batch:390 Acc:{ap}: 100%|##| 391/391 [00:34<00:00, 11.27it/s]
TEST         Loss:{v}         Acc:{bp}         [5922 / 10000]
=== signs between words: all
Epoch {n:>3}│ train ▸ loss {t} acc {ap}% │ val ▸ loss {v} acc {bp}%
=== Go's tests: train_loss
    mlp_test.go:289: {{Epoch:{z} Loss:{t}}}
=== Kaggle's logger: train_loss val_loss val_accuracy
2022-05-04 10:54:52,836 DEBUG   Epoch {n} - avg_train_loss: {t}  avg_val_loss: {v} F1: 0.3  Accuracy: {b} time: 890s
2022-05-04 10:54:52,836 DEBUG   Epoch {n} - Save Best Accuracy: 0.9 Model
2022-05-04 10:54:53,242 DEBUG   Epoch {n} - Save Best Loss: 0.1 Model
=== a remark before its epoch: losses
Valid loss improved from 9.9 to {v}. Saving checkpoint: files/checkpoint.pth
Epoch: 0{n} | Epoch Time: 0m 10s
	Train Loss: {t}
	Val. Loss: {v}
=== wide signs: all
第{n}轮，训练损失：{t}，训练准确率：{ap}％，验证损失：{v}，验证准确率：{bp}％
=== French: losses
Époque {n} : perte d'entraînement = {t}, perte de validation = {v}
=== Spanish: losses
Época {n}: pérdida de entrenamiento: {t}, pérdida de validación: {v}
=== Russian: losses
Эпоха {n}: потери на обучении {t}, потери на валидации {v}
=== Korean: train_loss val_loss val_accuracy
에폭 {n}/12 | 학습 손실: {t} | 검증 손실: {v} | 검증 정확도: {bp}%
=== Turkish: train_loss val_loss val_accuracy
Epoch {n}/12 - eğitim kaybı: {t} - doğrulama kaybı: {v} - doğrulama doğruluğu: {bp}%
=== Arabic: train_loss val_loss val_accuracy
حقبة {n}/12: خسارة التدريب {t}، خسارة التحقق {v}، دقة التحقق {bp}%
=== changes in brackets: losses
Epoch {n}: train loss {t} (-0.0123), val loss {v} (+0.0234)
=== bests in brackets: losses
Epoch {n}: val loss {v} (best 0.1), train loss {t}
=== epochs that are glued to their letter: losses
E00{n} train_loss={t} val_loss={v}
=== an evaluation that names its epoch first: train_loss val_loss val_accuracy
Evaluating at epoch {z}
val loss: {v}, val acc: {b}
Training epoch {z}
train loss: {t}
=== an epoch behind its loss: train_loss
Loss in epoch {n}: {t}
=== Nielsen's book: losses
Epoch {z} training complete
Cost on training data: {t}
Cost on evaluation data: {v}
=== LitGPT: losses
Epoch {n} | iter {n}0 step {n}0 | loss train: {t}, val: {v} | iter time: 300.12 ms (step)
=== scores of a graph beside its loss: train_loss
Epoch: {n}, Loss: {t}, Train: {a}, Val: {b}, Test: 0.1
=== srun's labels: losses
0: epoch {n} train_loss {t} val_loss {v}
1: epoch {n} train_loss 9.9 val_loss 9.8
=== ranks by torchrun: losses
[rank1]: Epoch {n}: train_loss=9.9 val_loss=9.8
[rank0]: Epoch {n}: train_loss={t} val_loss={v}
=== DeepSpeed: batch_loss
[2021-06-30 10:10:1{n},123] [INFO] [logging.py:60:log_dist] [Rank 0] step={n}0, skipped=0, lr=[0.1], mom=[0.9]
[2021-06-30 10:10:1{n},124] [INFO] [timer.py:154:stop] 0/{n}0, SamplesPerSec=1021.3
step {n}0 loss {t}
=== two bars with headings: train_loss val_accuracy
Train Epoch: [{n}/4] Loss: {t}: 100%|##| 10/10 [00:10<00:00]
Test Epoch: [{n}/4] Acc@1:{bp}% Acc@5:90.00%
=== AllenNLP: all
2020-04-01 10:10:1{n},123 - INFO - allennlp.training.trainer - Epoch {z}/3
accuracy: {a}, loss: {t} ||: 100%|##| 100/100 [00:10<00:00]
2020-04-01 10:10:1{n},223 - INFO - allennlp.training.trainer - Validating
accuracy: {b}, loss: {v} ||: 100%|##| 10/10 [00:01<00:00]
=== Flair: losses
2023-04-01 10:10:1{n},123 epoch {n} - iter 10/100 - loss 9.9 - time (sec): 1.1 - lr: 0.1
2023-04-01 10:10:1{n},123 EPOCH {n} done: loss {t} - lr 0.1
2023-04-01 10:10:1{n},223 DEV : loss {v} - f1-score (micro avg)  0.5
=== the first networks in Theano: val_accuracy
epoch {n}, minibatch 2500/2500, validation error {be} %
     epoch {n}, minibatch 2500/2500, test error of best model 9.9 %
=== DL4J: batch_loss
10:10:1{n}.123 [main] INFO ScoreIterationListener - Score at iteration {n}00 is {t}
=== Orbit: all
train | step: {n}00 | steps/sec:   10.1 | output:
    {{'train_accuracy': {a},
     'train_loss': {t}}}
 eval | step: {n}00 | eval time:    5.2 sec | output:
    {{'accuracy': {b}, 'loss': {v}}}
=== the Object Detection API: batch_loss
INFO:tensorflow:Step {n}00 per-step time 0.523s
INFO:tensorflow:{{'Loss/localization_loss': 0.05,
 'Loss/total_loss': {t},
 'learning_rate': 0.1}}
=== nnU-Net: losses
2023-04-01 10:10:1{n}.1: Epoch {z}
2023-04-01 10:10:1{n}.1: Current learning rate: 0.1
2023-04-01 10:10:1{n}.1: train_loss {t}
2023-04-01 10:10:1{n}.1: val_loss {v}
2023-04-01 10:10:1{n}.1: Pseudo dice [0.5, 0.1]
2023-04-01 10:10:1{n}.1: Epoch time: 9.1 s
=== ESPnet: all
[gpu-1] 2021-04-01 10:10:1{n},123 (trainer:338) {n}epoch results: [train] loss={t}, acc={a}, [valid] loss={v}, acc={b}
=== OpenNMT: all
[2020-01-01 10:10:1{n},123 INFO] Step {n}00/ 1000; acc:  {ap}; ppl: {tp}; xent: {t}; lr: 0.1; 5 tok/s; 10 sec
[2020-01-01 10:10:1{n},223 INFO] Validation perplexity: {vp}
[2020-01-01 10:10:1{n},224 INFO] Validation accuracy: {bp}
=== ML.NET: all
Phase: Training, Dataset used:      Train, Batch Processed Count:  24, Epoch: {z}, Accuracy: {a}, Cross-Entropy: {t}
Phase: Training, Dataset used: Validation, Batch Processed Count:   3, Epoch: {z}, Accuracy: {b}, Cross-Entropy: {v}
=== fairseq: losses
2021-04-01 10:10:1{n} | INFO | train | epoch 00{n} | loss {t} | nll_loss 9.9 | ppl 9.9 | num_updates {n}00
2021-04-01 10:10:1{n} | INFO | valid | epoch 00{n} | valid on 'valid' subset | loss {v} | nll_loss 9.9
"""
"""Each begins with its name and the signals that it tells; what stands below is one epoch."""

BAR = "\r {z}%|#3   | {n}/4 [00:0{z}<00:05,  1.1s/epoch, loss={t}, accuracy={a}, val_loss={v}, val_accuracy={b}]"
LINES = {"tqdm.keras": (BAR, ALL)}
for section in FORMATS.split("\n=== ")[1:]:
    heading, _, body = section.partition("\n")
    title, _, told = heading.partition(": ")
    LINES[title] = (f"{body}\n", {"all": ALL, "losses": BOTH}.get(told, tuple(told.split())))


def _each(line):
    def percent(part):
        return f"{100 * part:.2f}"

    return "".join(
        line.format(
            z=n, n=n + 1, t=t, v=v, a=a, b=b,
            ap=percent(a), bp=percent(b), be=percent(1 - b), tp=math.exp(t), vp=math.exp(v),
        )
        for n, (t, v, a, b) in enumerate(zip(T, V, A, B, strict=True))
    )  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_what_is_printed(log, curve, near, points, name):
    line, told = LINES[name]
    (run,) = log("run.log", _each(line))
    for signal in set(TRUTH) - set(told):
        assert curve(run, signal) is None or signal in {"batch_loss", *told}, signal
    for signal in told:
        found = curve(run, signal)
        assert found is not None, signal
        assert near(found if signal != "batch_loss" else points(found.values()), points(TRUTH[signal])), signal


def test_lines_of_other_processes_are_left_out_and_that_is_said(log):
    (run,) = log("run.log", _each(LINES["ranks by torchrun"][0]))
    assert "2 processes printed into it: the lines of the first count" in run.notes


def test_numbers_before_lines_that_are_no_labels(log, curve, points):
    (run,) = log("run.log", "".join(f"{n}: epoch {n} loss {t}\n" for n, t in enumerate(T, start=1)))
    assert curve(run, "train_loss") == points(T)


def test_an_evaluation_before_training_is_not_the_first_epoch_s(log, curve, points):
    lines = "".join(f"Epoch {n}: train loss {t}\nval loss {v}\n" for n, (t, v) in enumerate(zip(T, V, strict=True), 1))
    (run,) = log("run.log", "val loss 9.9\n" + lines)
    assert curve(run, "val_loss") == points(V)


FILES = {
    "Sacred": (
        "metrics.json",
        json.dumps({
            name: {"steps": [0, 1, 2, 3], "timestamps": ["2023"] * 4, "values": values}
            for name, values in (("training.loss", T), ("validation.loss", V))
        }),
    ),
    "Chainer's report": (
        "log",
        json.dumps([{"epoch": n + 1, "main/loss": T[n], "validation/main/loss": V[n]} for n in range(4)]),
    ),
    "Chainer's table": (
        "out.txt",
        "epoch       main/loss   validation/main/loss  elapsed_time\n" + _each("{n:<12}{t:<12}{v:<22}{z:<12}\n"),
    ),
    "numpy's table": ("log.txt", "# epoch loss val_loss\n" + _each("{z} {t} {v}\n")),
    "numpy's, with commas": ("log.csv", "# of run 7\n# epoch,loss,val_loss\n" + _each("{z},{t},{v}\n")),
    "lists beside a count of steps": (
        "h.json",
        json.dumps({"train_losses": T, "val_losses": V, "lrs": [0.1] * 4, "steps": [0, 10, 20, 30]}),
    ),
    "rows of any name beside a setting": (
        "h.json",
        json.dumps({
            "config": {"layers": [64, 32]},
            "training_history": [{"epoch": n + 1, "train_loss": T[n], "val_loss": V[n]} for n in range(4)],
        }),
    ),
    "a line above a table": ("log.csv", "Training time: 9.1,,\nEpoch,Train loss,Test loss\n" + _each("{z},{t},{v}\n")),
    "Neptune": ("chart.csv", "step,EXP-1/train/loss,EXP-1/val/loss\n" + _each("{z},{t},{v}\n")),
    "Comet": (
        "metrics.json",
        json.dumps([
            {"metricName": name, "metricValue": str(values[n]), "runContext": context, "step": n + 1, "epoch": n + 1}
            for n in range(4)
            for name, context, values in (("loss", "train", T), ("val_loss", "validate", V))
        ]),
    ),
    "Aim": (
        "runs.csv",
        "run.hash,metric.name,metric.context.subset,step,value\n"
        + _each("abc,loss,train,{z},{t}\nabc,loss,val,{z},{v}\n"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_written(log, curve, points, name):
    (run,) = log(*FILES[name])
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


def test_persian_digits_and_signs(log, curve, points):
    line = _each("دوره {n}: زیان آموزش {t}، زیان اعتبارسنجی {v}\n")
    (run,) = log("run.log", line.translate(str.maketrans("0123456789.", "۰۱۲۳۴۵۶۷۸۹٫")))
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


def test_thousands_in_groups(log, curve):
    (run,) = log(
        "run.log", "Epoch 1: train loss 2,410.50, val loss 12,345,678\nEpoch 2: train loss 1,000, val loss 9\n"
    )
    assert curve(run, "train_loss") == {1: 2410.5, 2: 1000}
    assert curve(run, "val_loss") == {1: 12_345_678, 2: 9}


def test_a_comma_after_a_decimal_comma(log, curve, points):
    numbers = [f"{each}".replace(".", ",") for each in (*T, *V)]
    lines = (f"Epoch {n + 1}: train loss: {numbers[n]}, val loss: {numbers[n + 4]}\n" for n in range(4))
    (run,) = log("run.log", "".join(lines))
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)


def test_names_behind_a_number_sign_are_no_guess(log, curve):
    (run,) = log("log.txt", "# epoch val_loss\n0 3\n1 2\n")
    assert curve(run, "val_loss") == {1: 3, 2: 2}


@pytest.mark.parametrize(
    "table", ["step,EXP-1/val/loss,EXP-22/val/loss\n{}", "training_iteration,val_loss,trial_id\n{}"]
)
def test_runs_in_one_table_are_told_apart(log, curve, points, table):
    rows = "".join(f"{n},{v},{v + 1}\n" for n, v in enumerate(V))
    if "trial_id" in table:
        rows = "".join(f"{n},{v + more},t_{more}\n" for more in (0, 1) for n, v in enumerate(V, start=1))
    one, two = log("runs.csv", table.format(rows))
    assert curve(one, "val_loss") == points(V)
    assert curve(two, "val_loss") == points([v + 1 for v in V])


@pytest.mark.parametrize(
    "runs",
    [
        {f"fold_{k}": [{"epoch": n + 1, "loss": T[n] + k, "val_loss": V[n]} for n in range(4)] for k in (0, 1)},
        {"train_losses": [T, [each + 1 for each in T]], "val_losses": [V, V]},
    ],
)
def test_runs_in_one_file_of_json_are_told_apart(log, curve, points, runs):
    one, two = log("runs.json", json.dumps(runs))
    assert curve(one, "train_loss") == points(T)
    assert curve(two, "train_loss") == points([each + 1 for each in T])
    assert curve(two, "val_loss") == points(V)


def test_batches_of_epochs_are_not_taken_for_runs(log):
    batches = {"train_losses": [T, T, T], "val_losses": [V[:2], V[:2], V[:2]]}
    with pytest.raises(LogError, match="no training log"):
        log("batches.json", json.dumps(batches))


def test_learning_rates_in_the_plural(log, curve, points):
    for name in ("lrs", "learning_rates"):
        (run,) = log("h.json", json.dumps({"train_losses": T, name: [0.1, 0.1, 0.01, 0.01]}))
        assert curve(run, "learning_rate") == points([0.1, 0.1, 0.01, 0.01])
