"""For every rule three recorded runs: one it fires on, one healthy, one near miss that something else explains."""

import math
from dataclasses import replace

import numpy as np

from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.network_facts import LayerFacts, NetworkFacts
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case

RANDOM = np.random.default_rng(7)
NOISE = RANDOM.normal(size=400)
N = np.arange(40)
FALLING = 2.3 * np.exp(-N / 6) + 0.2
RISING_ACCURACY = 0.95 - 0.85 * np.exp(-N / 6)


def case(verdict="about_right", factor=None, **curves):
    """A case made of lists; names are those of signals."""
    signals = tuple(
        Signal(name=name, unit="1", steps=tuple(range(1, len(values) + 1)), values=tuple(map(float, values)))
        for name, values in curves.items()
    )
    estimate = LearningRateEstimate(verdict=verdict, factor=factor, confidence=0.9, reason="as the test says")
    return open_case(RunHistory(signals=signals), estimate)


LAYERS = tuple(
    LayerFacts(name=name, kind="Linear", parameters=100, trainable=True, optimised=True, fresh=True, gain=0.58,
               activation="relu")
    for name in ("first", "second", "third", "head")
)  # fmt: skip
FACTS = {
    "layers": LAYERS, "loss": "cross_entropy", "outputs": 10, "output_form": "scores", "targets": "classes",
    "classes": 10, "batch_size": 32, "optimizer": "SGD", "learning_rate": 0.1,
}  # fmt: skip
STEPS = np.arange(200)
LEARNING = {
    "batch_loss": (0.1 + 2.2 * np.exp(-STEPS / 40)) * (1 + 0.05 * NOISE[:200]),
    "batch_input_mean": [0.3], "batch_input_std": [0.3], "batch_input_min": [0.0], "batch_input_max": [1.0],
    "batch_loss_at_start": [2.32], "batch_loss_expected": [2.303],
    "batch_gradient_norm": {"run": 1 + 0.1 * NOISE[:20],
                            **dict.fromkeys(("first", "second", "third", "head"), 0.3 + 0.02 * NOISE[:20])},
    "batch_weight_norm": dict.fromkeys(("first", "second", "third", "head"), np.linspace(3.0, 3.1, 20)),
    "batch_update_ratio": dict.fromkeys(("first", "second", "third", "head"), 0.004 * np.exp(-np.arange(20) / 20)),
    "batch_dead_fraction": dict.fromkeys(("first", "second", "third"), 0.2 + 0.05 * NOISE[:20]),
    "batch_saturated_fraction": dict.fromkeys(("first", "second", "third"), 0.1 + 0.02 * NOISE[:20]),
    "batch_activation_std": dict.fromkeys(("first", "second", "third"), 0.3 + 0.02 * NOISE[:20]),
    "batch_frozen": dict.fromkeys(("first", "second", "third", "head"), [0.0] * 20),
    "batch_alignment": 0.3 + 0.1 * NOISE[:20],
    "batch_noise_scale": 100 + 10 * NOISE[:20],
    "batch_sharpness": 5 + NOISE[:20],
    "batch_rate_to_edge": 0.3 + 0.05 * NOISE[:20],
}  # fmt: skip
"""Signals of a healthy watched run."""


def watched(verdict="about_right", facts=None, **signals):
    """A watched case: the healthy one but for what is given; a mapping gives layers, None takes a signal away."""
    made = []
    for name, given in (LEARNING | signals).items():
        for subject, values in (given if isinstance(given, dict) else {"run": given}).items():
            if values is not None:
                every = 1 if name == "batch_loss" else 10
                steps = tuple(range(1, every * len(values) + 1, every))
                made.append(Signal(name=name, unit="1", subject=subject, steps=steps,
                                   values=tuple(map(float, values))))  # fmt: skip
    estimate = LearningRateEstimate(verdict=verdict, confidence=0.9, reason="as the test says")
    return open_case(RunHistory(signals=tuple(made), network=NetworkFacts(**(FACTS | (facts or {})))), estimate)


def layered(**values):
    """Values of layers, the healthy ones but for what is given."""
    return dict.fromkeys(("first", "second", "third"), 0.2 + 0.05 * NOISE[:20]) | values


WATCHED = watched()
STUCK = {"batch_loss": 2.3 + 0.02 * NOISE[:200]}

HEALTHY = case(
    train_loss=FALLING * (1 + 0.005 * NOISE[:40]),
    val_loss=FALLING * 1.1 * (1 + 0.03 * NOISE[40:80]),
    train_accuracy=RISING_ACCURACY,
    val_accuracy=RISING_ACCURACY - 0.03,
    gradient_norm=1.5 * np.exp(-N / 20),
)
FLAT = {"train_loss": 2.303 + 0.001 * NOISE[:12], "train_accuracy": 0.1 + 0.003 * NOISE[12:24]}
SPIKED = FALLING.copy()
SPIKED[[10, 20, 30]] *= 4
IRREGULAR = FALLING * 1.1
IRREGULAR[:20:2] += 9

CASES = {
    "LRN001": (case("too_high", 6.0, train_loss=FALLING), case("too_low", 0.1, train_loss=FALLING)),
    "LRN002": (case("too_low", 0.1, train_loss=FALLING), case("undetermined", train_loss=FALLING)),
    "CUR001": (
        case(train_loss=[2.3, 2.0, math.nan, math.nan]),
        case(train_loss=[2.3, 2.0, 900.0, 1e30]),  # large, but a number
    ),
    "CUR002": (
        case(train_loss=[2.3, 1.2, 0.7, 1.8, 2.3, 2.31, 2.3, 2.3], train_accuracy=[0.1, 0.5, 0.7, 0.3, *[0.1] * 4]),
        case(train_loss=[2.3, 1.2, 0.7, 1.4, 0.8, 0.6, 0.5, 0.45]),  # thrown up, and back again
    ),
    "CUR003": (
        case("too_high", train_loss=SPIKED),
        case(train_loss=[8.3, 1.2, 0.8, 0.6, 0.5], train_accuracy=[0.1, 0.5, 0.6, 0.7, 0.8]),  # a steep healthy start
    ),
    "CUR004": (
        case(train_loss=2.0 + 0.5 * NOISE[:40], train_accuracy=0.2 + 0.02 * NOISE[:40]),
        case(train_loss=np.concatenate((FALLING, 0.1 + 0.02 * NOISE[:40]))),  # noise around a low floor
    ),
    "CUR005": (
        case(**FLAT),
        case(train_loss=[0.12, 0.121, 0.119, 0.12, 0.12], train_accuracy=[0.96] * 5),  # fine-tuned
    ),
    "CUR006": (
        case("too_low", train_loss=2.3 - 0.01 * N, train_accuracy=0.1 + 0.002 * N),
        case(train_loss=0.9 + 1.4 * np.exp(-N / 4), train_accuracy=RISING_ACCURACY - 0.3),  # fast, then at its floor
    ),
    "CUR007": (
        case(
            "too_low", train_loss=np.concatenate((2.3 - 0.02 * N[:10], 2.1 - 1e-4 * N[:20], 2.0 * np.exp(-N[:10] / 4)))
        ),
        case(
            train_loss=np.concatenate((2.3 - 0.02 * N[:10], 2.1 - 1e-4 * N[:20], 1.0 * np.exp(-N[:10] / 4))),
            learning_rate=[0.1] * 30 + [0.01] * 10,
        ),  # a step of the schedule
    ),
    "CUR008": (
        case(train_loss=np.concatenate((FALLING[:20], 0.3 + 0.01 * NOISE[:40]))),
        case(train_loss=FALLING),
    ),
    "CUR009": (
        case(train_loss=2.5 - 0.04 * N, val_loss=2.6 - 0.04 * N, train_accuracy=0.1 + 0.015 * N),
        case(
            train_loss=2.5 - 0.04 * N,
            val_loss=2.6 - 0.04 * N,
            learning_rate=0.1 * (1 + np.cos(np.pi * N / 40)) / 2,
        ),  # the end of a cosine
    ),
    "CUR010": (
        case(train_loss=FALLING - 0.19, val_loss=FALLING + 0.02 * N, train_accuracy=RISING_ACCURACY),
        case(train_loss=FALLING, val_loss=FALLING * (1.25 + 0.05 * NOISE[:40])),  # a gap, and noise of a small split
    ),
    "CUR011": (
        case(
            "too_low",
            train_loss=2.3 - 0.2 * (1 - np.exp(-N / 3)),
            val_loss=2.3 - 0.2 * (1 - np.exp(-N / 3)),
            train_accuracy=0.2 + 0.0 * N,
        ),
        case(train_loss=2.3 - 0.01 * N, val_loss=2.3 - 0.01 * N, train_accuracy=0.1 + 0.002 * N),  # still falling
    ),
    "CUR012": (
        case("too_high", train_loss=FALLING, val_loss=IRREGULAR),
        case(train_loss=FALLING - 0.19, val_loss=FALLING + 0.05 * N),  # overfitting: rises and does not come back
    ),
    "CUR013": (
        case(batch_loss=np.exp(-np.arange(200) / 80)),
        case(batch_loss=np.exp(-np.arange(200) / 80) * (1 + 0.05 * NOISE[:200])),
    ),
    "CUR014": (
        case(batch_loss=np.exp(-np.arange(200) / 80) * (1 + 0.1 * NOISE[:200])),
        case(batch_loss=np.exp(-np.arange(200) / 80) * (1 + 0.1 * np.cos(np.pi * np.arange(200)))),  # swings by a law
    ),
    "GRD001": (
        case(train_loss=2.3 + 0.0 * N, gradient_norm=1e-9 * np.exp(-N / 20)),
        case(train_loss=FALLING**3, gradient_norm=3 * np.exp(-N / 5)),  # small at the end of a good run
    ),
    "GRD002": (
        case(train_loss=np.concatenate((FALLING[:30], FALLING[20:10:-1])), gradient_norm=np.exp(N / 5)),
        case(train_loss=FALLING, gradient_norm=np.exp(N / 5)),  # grows, and the loss falls
    ),
    "NET001": (
        case(train_loss=[0.5, -20.0, -90.0, -300.0], train_accuracy=[0.3, 0.3, 0.31, 0.3]),
        case(train_loss=[0.5, -2.0, -3.0, -3.5]),  # a log-likelihood, without accuracy
    ),
    "ACT001": (
        watched(batch_dead_fraction=layered(second=[1.0] * 20)),
        watched(batch_dead_fraction=layered(second=[0.79] * 20)),  # sparse
    ),
    "ACT002": (
        watched(batch_saturated_fraction=layered(first=[0.9] * 20)),
        watched(batch_saturated_fraction=layered(first=[0.95] * 5 + [0.4] * 15)),  # it came loose
    ),
    "CRV001": (
        watched(**STUCK, batch_sharpness=-1 + 0.1 * NOISE[:20], batch_gradient_norm={"run": np.geomspace(1, 0.01, 20)}),
        watched(**STUCK, batch_sharpness=1 + 0.1 * NOISE[:20], batch_gradient_norm={"run": np.geomspace(1, 0.01, 20)}),
    ),  # a flat floor curves upward
    "DAT003": (
        watched(batch_input_mean=[33.0], batch_input_std=[78.0], batch_input_max=[255.0]),
        watched(batch_input_mean=[4.9], batch_input_std=[6.0], batch_input_max=[16.0]),  # 0 to 16: large, but bearable
    ),
    "DAT004": (
        watched(**STUCK, batch_alignment=0.05 * NOISE[:20]),
        watched(
            **STUCK, batch_alignment=0.05 * NOISE[:20], batch_update_ratio=dict.fromkeys(("first", "head"), [1e-5] * 20)
        ),  # it has hardly moved
    ),
    "NET002": (
        watched(
            facts={"layers": (replace(LAYERS[0], trainable=False), *LAYERS[1:])},
            batch_weight_norm={"first": [1.0] * 20},
        ),
        watched(facts={"layers": (replace(LAYERS[0], trainable=False), *LAYERS[1:])}),  # unfrozen later: weights move
    ),
    "NET003": (
        watched(
            **STUCK,
            facts={"weight_decay": 10.0},
            batch_weight_norm=dict.fromkeys(("first", "second", "third", "head"), np.geomspace(3, 0.1, 20)),
        ),
        watched(
            facts={"weight_decay": 0.01},
            batch_weight_norm=dict.fromkeys(("first", "second", "third", "head"), np.geomspace(3, 1.5, 20)),
        ),
    ),  # weights shrink while the loss falls
    "NET004": (
        watched(facts={"batch_size": 8, "ranks": 4, "layers": (*LAYERS, LayerFacts(name="norm", kind="BatchNorm2d"))}),
        watched(
            facts={
                "batch_size": 8,
                "ranks": 4,
                "layers": (*LAYERS, LayerFacts(name="norm", kind="SyncBatchNorm", spread=True)),
            }
        ),
    ),  # the statistics are those of all four ranks
}
"""Code to (fires, near miss)."""
