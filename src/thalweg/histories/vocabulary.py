"""The words by which programs call what they log: splits, losses, accuracies, rates, counters, in nine languages.

They are small words apart by spaces, as `names.words` cuts a name: `top 1` for `top1`.
"""

import re

from thalweg.core.split_words import SPLIT_WORDS

__all__ = [
    "ACCURACY",
    "AROUND_EPOCH",
    "EPOCHS",
    "ERROR",
    "FALLS",
    "FILLERS",
    "GRADIENT",
    "LOSS",
    "NO_LOSS",
    "PER",
    "PERPLEXITY",
    "RATE",
    "SECONDS",
    "SPLITS",
    "STEPS",
    "WHOLE",
]

SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "vl", "evaluate"), "val"),
    **dict.fromkeys(("vali", "vld", "va", "cv", "crossval"), "val"),
    **dict.fromkeys(("validating", "validate", "evaluating"), "val"),
    **dict.fromkeys(("test", "tst", "te", "testing", "heldout"), "test"),
    **{word: {"validation": "val"}.get(part, part) for word, part in SPLIT_WORDS.items()},
    "驗證": "val",
    **dict.fromkeys(("обучение", "обучения", "обучении", "обучающая"), "train"),
    **dict.fromkeys(("валидация", "валидации", "валидационная"), "val"),
    **dict.fromkeys(("тест", "теста", "тесте"), "test"),
}
PER = {
    **dict.fromkeys(("step", "batch", "iter", "iteration", "it", "minibatch", "smoothed"), "step"),
    **dict.fromkeys(("epoch", "avg", "avr", "average", "mean"), "epoch"),
}
FILLERS = {"metrics", "metric", "running", "global", "history", "stats", "scalar", "scalars", "value", "log", "logs"}
FILLERS |= {"mini", "over", "set", "main", "de", "di", "на", "current", "reduced", "curve", "curves", "info"}
WHOLE = {"total loss", "loss total", "tot loss", "overall loss"}
LOSS = {
    *WHOLE,
    *("loss", "cost", "objective", "nll", "nll loss", "ce", "ce loss", "loss ce", "celoss", "closs"),
    *("cross entropy", "crossentropy", "cross entropy loss", "crossentropy loss", "crossentropyloss", "xent"),
    *("cross ent loss", "logloss"),
    *("bce", "bce loss", "binary crossentropy", "categorical crossentropy", "sparse categorical crossentropy"),
    *("mse", "mse loss", "log loss", "criterion", "loss value", "losses", "cls loss", "classification loss"),
    *("verlust", "perte", "pérdida", "perdida", "perda", "perdita", "потери", "损失", "損失", "زیان", "هزینه"),
    *("خطا", "خطای", "مقدار خطا", "اتلاف", "ضرر", "تابع زیان"),
    *("손실", "손실값", "kayıp", "kaybı", "strata", "verlies", "втрати", "الخسارة", "خسارة"),
    *("lm loss", "loss cls", "loss classification", "mlogloss", "multi logloss", "binary logloss"),
    *("bpc", "bpb", "bits per character", "bits per byte"),
}
ACCURACY = {
    *("acc", "accuracy", "top 1", "acc 1", "accuracy 1", "top 1 acc", "top 1 accuracy", "accuracy top 1", "acc top 1"),
    *("accu", "accuray", "a acc", "instance accuracy", "accuracy 01", "prec 1", "cls acc", "binary accuracy"),
    *("binary acc", "categorical accuracy", "sparse categorical accuracy"),
    *("sparse categorical acc", "categorical acc", "multiclass accuracy", "multiclassaccuracy", "binaryaccuracy"),
    *("accuracy score", "class accuracy", "cls accuracy", "classification accuracy", "overall accuracy", "total acc"),
    *("genauigkeit", "exactitude", "exactitud", "acurácia", "acuracia", "accuratezza", "точность", "准确率", "準確率"),
    *("正解率", "精度", "دقت", "صحت"),
    *("정확도", "doğruluk", "doğruluğu", "dokładność", "nauwkeurigheid", "точність", "akurasi", "الدقة", "دقة"),
    *("total accuracy", "accs", "accuracies", "metric top 1", "accuracy multi"),
}
PERPLEXITY = {"ppl", "perplexity", "pplx"}
ERROR = {
    *("error rate", "err rate", "top 1 error", "top 1 err", "classification error", "misclassification"),
    *("نرخ خطا", "خطای طبقه بندی"),
    *("misclassification rate", "error top 1", "err 1", "err top 1", "classification error rate"),
}
FALLS = {
    *("rmse", "mae", "mape", "smape", "msle", "rmsle", "huber", "logcosh", "l 1", "l 2", "squared error"),
    *("absolute error", "root squared error", "absolute percentage error", "squared logarithmic error"),
}
"""Measures of a regression, without `mean`: they stand for the loss where it is not told."""

NO_LOSS = {"best", "min", "max", "lowest", "std", "var", "delta", "diff", "scale", "weight", "coef", "lambda", "ratio"}
RATE = re.compile(
    r"(?:lrs?|learning rates?|learningrate|learn rate|base learn rate)(?: (?:pg )?0| [a-z]+)?(?: pg 1)?"
    r"|(?:base|current) (?:lr|learning rate)"
    r"|lernrate|taux apprentissage|tasa aprendizaje|taxa aprendizado|tasso apprendimento"
    r"|скорость обучения|学习率|學習率|学習率|نرخ یادگیری|학습률|öğrenme (?:oranı|hızı)|معدل التعلم"
)
GRADIENT = re.compile(r"(?:total )?(?:grad|gradient|gradients)(?: 2(?: 0)?)? norm(?: total)?|gnorm|gradnorm")
SECONDS = {"seconds", "elapsed seconds", "seconds elapsed", "time seconds", "time s", "sec", "secs"}
EPOCHS = {"epoch", "epochs", "ep", "current epoch", "epoch num", "epoch number", "trainer epoch", "train epoch"}
EPOCHS |= {"epoches"}
EPOCHS |= {
    "epoche",
    "époque",
    "epoque",
    "época",
    "epoca",
    "эпоха",
    "轮次",
    "エポック",
    "에폭",
    "에포크",
    "epoka",
    "епоха",
    "حقبة",
    "دوره",
    "دور",
    "ایپاک",
    "اپوک",
    "ایپوک",
}
STEPS = {
    *("step", "steps", "global step", "iteration", "iter", "iters", "iterations", "it", "batch", "train global step"),
    *("trainer global step", "batches", "update", "updates", "num updates", "num steps", "train step", "batch idx"),
    *("batch index", "training iteration", "n iter", "niter", "iter num", "training step", "minibatch"),
}
AROUND_EPOCH = {
    *("start", "starting", "begin", "beginning", "end", "of", "finished", "after", "in", "on", "for", "the", "at"),
    *("info", "debug", "warning", "error", "root", "main", "online", "completed", "stdout", "stderr"),
    *("i", "d", "w", "e", "f", "p"),  # levels of glog, halves of Kubernetes' lines
}
"""Words beside that of an epoch which leave it one: `start of epoch 3`."""
