"""Keras: CSVLogger (plain, semicolons, appended, NaN, validated now and then), History, the TensorBoard callback."""

import json
from pathlib import Path

import keras as library
import numpy as np
from points import CLASSES, points


def _model(rate: float, *, square: bool = False) -> library.Model:
    library.utils.set_random_seed(7)
    model = library.Sequential([
        library.Input((4,)),
        library.layers.Dense(8, activation="relu"),
        library.layers.Dense(CLASSES),
    ])
    loss = "mse" if square else library.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(library.optimizers.SGD(rate), loss=loss, metrics=None if square else ["accuracy"])
    return model


def _plain(history: library.callbacks.History) -> dict:
    return {
        "epochs": [int(epoch) for epoch in history.epoch],
        **{name: [repr(float(value)) for value in values] for name, values in history.history.items()},
    }


def keras(out: Path) -> dict:
    """Write every kind of log that Keras writes of itself."""
    x, y = points()
    held = points(48, seed=1)
    callbacks = library.callbacks
    truth = {}
    options = {"validation_data": held, "batch_size": 16, "verbose": 0}

    tensorboard = callbacks.TensorBoard(str(out / "tensorboard"), write_graph=False)
    run = _model(0.1).fit(x, y, epochs=6, callbacks=[callbacks.CSVLogger(str(out / "log.csv")), tensorboard], **options)
    truth["log.csv"] = truth["history.json"] = truth["tensorboard"] = _plain(run)
    (out / "history.json").write_text(json.dumps(run.history), encoding="utf-8")
    (out / "history.txt").write_text(str(run.history), encoding="utf-8")

    logger = callbacks.CSVLogger(str(out / "every_second.csv"), separator=";")
    run = _model(0.1).fit(x, y, epochs=6, validation_freq=2, callbacks=[logger], **options)
    truth["every_second.csv"] = _plain(run)

    model = _model(0.05)
    path = str(out / "resumed.csv")
    first = model.fit(x, y, epochs=4, callbacks=[callbacks.CSVLogger(path)], **options)
    again = callbacks.CSVLogger(path, append=True)
    second = model.fit(x, y, initial_epoch=2, epochs=6, callbacks=[again], **options)
    truth["resumed.csv"] = [_plain(first), _plain(second)]

    path = str(out / "two_runs.csv")
    runs = []
    for rate in (0.001, 0.3):
        logger = callbacks.CSVLogger(path, append=True)
        runs.append(_plain(_model(rate).fit(x, y, epochs=5, callbacks=[logger], **options)))
    truth["two_runs.csv"] = runs

    target = np.eye(CLASSES)[y]
    options["validation_data"] = (held[0], np.eye(CLASSES)[held[1]])
    logger = callbacks.CSVLogger(str(out / "not_a_number.csv"))
    truth["not_a_number.csv"] = _plain(
        _model(4.0, square=True).fit(x, target, epochs=12, callbacks=[logger], **options)
    )
    for path in sorted((out / "tensorboard").rglob("events.*")):  # without the machine's name
        path.rename(path.with_name(f"{'.'.join(path.name.split('.')[:4])}.somewhere.v2"))
    return truth
