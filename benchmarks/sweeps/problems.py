"""Which problems the sweeps run: drawn at random from a stated space, each one reproducible from its number."""

import math
from dataclasses import asdict, dataclass

import numpy as np

FAMILIES = {  # family: (classes to choose from, largest training set, shares of network kinds)
    "digits": ((10, 10, 5, 40), 900, ("mlp", "plain", "linear", "gru", "plain", "vit")),
    "fashion": ((10, 10, 10, 5, 3, 2, 40), 8000, ("plain", "mlp", "residual", "inception", "linear", "vit", "gru")),
    "cifar": ((10, 10, 10, 5, 2, 20, 40), 8000, ("plain", "residual", "inception", "plain", "mlp", "vit")),
    "chest": ((2,), 1400, ("plain", "residual", "mlp", "inception")),
    "elpv": ((2,), 1700, ("plain", "residual", "inception", "mlp")),
    "ecg": ((5,), 8000, ("plain", "residual", "mlp", "inception")),
    "cancer": ((2,), 300, ("mlp", "linear")),
    "spirals": ((2, 3, 5), 3000, ("mlp",)),
    "blobs": ((2, 5, 20, 60), 8000, ("mlp", "linear", "mlp")),
    "teacher": ((6,), 9000, ("mlp",)),
}
WEIGHTS = {"digits": 3, "fashion": 5, "cifar": 6, "chest": 2, "elpv": 2, "ecg": 3, "cancer": 1, "spirals": 1,
           "blobs": 2, "teacher": 1}  # fmt: skip
OPTIMIZERS = (
    ["sgd"] * 7 + ["momentum"] * 6 + ["nesterov"] + ["adam"] * 5 + ["adamw"] * 2 + ["rmsprop"] * 2 + ["adagrad"]
)
SCALINGS = ["standard"] * 4 + ["unit"] * 3 + ["centred"]
RATES = 21
"""Rates a sweep, 0.4 decades apart, over 8 decades."""
SECOND = 100
"""From this number on problems come from a second space, see `draw_second`."""
THIRD = 300
"""From this number on from a third one, see `draw_third`."""
SECONDS = 28
"""Aim for one sweep, on one core of 2026; what a network costs was measured once and is estimated from its size."""
PIXELS = {"digits": 64, "fashion": 81, "cifar": 64, "chest": 144, "elpv": 144, "ecg": 46}
FEATURES = PIXELS | {"cifar": 192, "cancer": 30, "spirals": 2, "blobs": 24, "teacher": 30}


def images_for(seconds: float, family: str, kind: str, width: int, depth: int, batch: int) -> float:
    """Estimate how many examples a sweep of that network can see in that time."""
    if kind in {"mlp", "linear"}:
        weights = FEATURES[family] * width + width * width * (depth - 1) if kind == "mlp" else 10 * FEATURES[family]
        each, step = 5e-6 * weights, 1.5 + 0.6 * depth + 1.5e-4 * weights
    elif kind in {"vit", "gru"}:
        each, step = (0.2 * depth * width / 16, 4 + 3 * depth) if kind == "vit" else (0.5, 12)
    else:
        pixels, values = PIXELS[family], 0
        for level in range(depth):
            out = width if level < (depth + 1) // 2 else 2 * width
            pixels //= 4 if level in {1, (depth + 1) // 2 + 1} and family != "ecg" else 1
            values += out * pixels * (2 if kind == "residual" and level else 1)
        each, step = (1.2e-3 if kind == "inception" else 0.75e-3) * values, 2 + 1.2 * depth
    return 1000 * seconds / (each + step / batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One sweep: everything but the learning rate."""

    number: int
    family: str
    classes: int
    train: int
    scaling: str
    label_noise: float
    kind: str
    width: int
    depth: int
    norm: bool
    activation: str
    init: str
    dropout: float
    augment: bool
    optimizer: str
    weight_decay: float
    batch: int
    schedule: str
    epochs: int
    seed: int
    held: int = 0
    lowest: float = math.nan
    highest: float = math.nan
    count: int = RATES

    @property
    def name(self) -> str:
        """Such as `p017-fashion10-plain4bn-adam-b64-cosine-e20`."""
        net = f"{self.kind}{self.depth}{'bn' if self.norm else ''}"
        return (
            f"p{self.number:03d}-{self.family}{self.classes}-{net}-{self.optimizer}-b{self.batch}"
            f"-{self.schedule}-e{self.epochs}"
        )

    @property
    def rates(self) -> list[float]:
        """The grid: 1e-6 to 1e+2, a decade lower for optimizers that normalise their steps, or as drawn."""
        if self.lowest == self.lowest:
            return [float(f"{10**e:.4g}") for e in np.linspace(self.lowest, self.highest, self.count)]
        top = 2.0 if self.optimizer in {"sgd", "momentum", "nesterov"} else 1.0
        return [float(f"{10**e:.4g}") for e in np.linspace(top - 8, top, RATES)]

    def as_dict(self) -> dict[str, object]:
        """Plain data for the record."""
        return asdict(self) | {"name": self.name}


def draw(number: int) -> Problem:
    """Draw problem `number`: of the first space below `SECOND`, of the third one from `THIRD` on."""
    return draw_first(number) if number < SECOND else draw_second(number) if number < THIRD else draw_third(number)


def draw_first(number: int) -> Problem:
    """Draw a problem of the first space.

    Budgets differ on purpose: few steps in few epochs, thousands of steps in few epochs, and a hundred short epochs
    must all look familiar, because nobody who brings a curve says how long an epoch was.
    """
    rng = np.random.default_rng(90_000 + number)
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731 - a word for one line's job
    names = [n for n, w in WEIGHTS.items() for _ in range(w)]
    family = pick(names)
    classes, largest, kinds = FAMILIES[family]
    kind = pick(kinds)
    flat = family in {"cancer", "spirals", "blobs", "teacher"}
    optimizer = pick(OPTIMIZERS)
    light = kind in {"mlp", "linear"}
    width = (
        pick([16, 32, 64, 128]) if kind == "mlp" else pick([16, 24]) if kind in {"vit", "gru"} else pick([8, 8, 8, 16])
    )
    depth = (
        pick([1, 1, 2, 2, 3, 5])
        if kind == "mlp"
        else pick([1, 2])
        if kind == "vit"
        else 1
        if kind in {"linear", "gru"}
        else pick([2, 2, 3, 3, 4] if kind == "inception" else [2, 2, 3, 3, 4, 6])
    )
    full = light and bool(rng.random() < 0.25)
    batch = largest if full else pick([8, 16, 16, 32, 32, 64, 64, 128, 128, 256, 512])
    images = images_for(
        SECONDS * rng.uniform(0.6, 1.4) * ((0.8 if light else 1.6) if number < 7 else 0.6 if light else 1.0),
        family,
        kind,
        width,
        depth,
        min(batch, 600),
    )
    epochs = pick([5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60] + ([80, 100, 150] if light else []))
    if full:
        epochs = pick([60, 100, 200, 300])
    elif not light:
        epochs = max(5, min(epochs, int(images / 600)))  # pictures are dear: rather fewer epochs than 200 pictures
    train = int(np.clip(images / epochs - 200, 200, largest))
    batch = train if full else batch
    while not full and batch > 8 and train // batch * epochs < 500:
        batch //= 2  # a run of a few dozen steps is not what people bring
    return Problem(
        number=number, family=family, classes=pick(classes), train=train,
        scaling=pick(SCALINGS + (["bytes"] if family in {"fashion", "cifar", "chest", "elpv"} else []))
        if not flat else pick(["standard", "standard", "unit"]) if family != "cancer" else "standard",
        label_noise=pick([0.0] * 6 + [0.1, 0.3]), kind=kind,
        width=width, depth=depth,
        norm=kind in {"residual", "inception", "plain"} and bool(rng.random() < (0.75 if kind != "plain" else 0.35)),
        activation=pick(["relu"] * 7 + ["tanh", "elu", "gelu"]) if kind in {"mlp", "plain"} else "relu",
        init=pick(["he", "he", "xavier", "default", "default", "large"]),
        dropout=pick([0.0, 0.0, 0.0, 0.2, 0.5]) if kind in {"mlp", "plain", "vit"} else 0.0,
        augment=not flat and family not in {"ecg", "digits"} and bool(rng.random() < 0.3),
        optimizer=optimizer, weight_decay=pick([0.0, 0.0, 0.0, 1e-4, 5e-4, 1e-2 if optimizer == "adamw" else 2e-3]),
        batch=batch, schedule=pick(["constant"] * 6 + ["step"] * 2 + ["cosine"] * 2 + ["warmup_cosine"]), epochs=epochs,
        seed=1000 + number,
    )  # fmt: skip


CENTRES = {"sgd": -0.75, "momentum": -1.65, "nesterov": -1.65, "adagrad": -1.6}
"""Decimal logarithm of a usual best rate; -2.3 for the other optimizers."""
EASY = {"digits": (10, 10, 5), "fashion": (10, 10, 5, 3, 2), "cifar": (5, 3, 2, 2, 4, 10), "chest": (2,), "ecg": (5,),
        "blobs": (2, 5, 20), "spirals": (2, 3), "teacher": (6,), "cancer": (2,)}  # fmt: skip
LONG = {"digits": 2, "fashion": 6, "cifar": 6, "chest": 2, "ecg": 3}
LONG_SECONDS = 40
OFTEN = {"digits": 3, "fashion": 6, "cifar": 5, "chest": 2, "ecg": 3, "blobs": 1, "spirals": 1, "teacher": 1}


def draw_second(number: int) -> Problem:
    """Draw a problem of the second space: more problems for the same time, and the best rate better known.

    18 rates 0.3 decades apart over the five decades in which optimizers of that kind find their best, validation sets
    of up to 2,000 examples (public logs mostly have thousands), tasks that can be learnt in the time there is, and
    hardly any linear models.
    """
    rng = np.random.default_rng(120_000 + number)
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731 - a word for one line's job
    family = pick([n for n, w in OFTEN.items() for _ in range(w)])
    flat = family in {"cancer", "spirals", "blobs", "teacher"}
    kind = "mlp" if flat else pick(["plain"] * 5 + ["residual"] * 3 + ["inception"] + ["mlp"] * 2)
    light = kind == "mlp"
    depth = pick([1, 2, 2, 3]) if light else pick([2, 3, 3, 4] if kind == "inception" else [2, 2, 3, 3, 4, 5])
    width = pick([16, 32, 64, 128]) if light else pick([8, 8, 16])
    optimizer = pick(["sgd"] * 5 + ["momentum"] * 6 + ["nesterov"] + ["adam"] * 6 + ["adamw"] * 2 + ["rmsprop"])
    batch = pick([8, 16, 16, 32, 32, 64, 64, 128, 128, 256])
    images = images_for((7 if light else 13) * rng.uniform(0.6, 1.4), family, kind, width, depth, batch)
    longest = max(5, int(images / pick([400, 700, 1200, 2000])))
    epochs = min(pick([5, 8, 10, 10, 12, 15, 20, 20, 25, 30, 40, 50, 60, 80, 100]), longest)
    train = int(np.clip(images / epochs, 300, FAMILIES[family][1]))
    while batch > 8 and train // batch * epochs < 300:
        batch //= 2
    centre = CENTRES.get(optimizer, -2.3) + rng.uniform(-0.3, 0.3)
    return Problem(
        number=number, family=family, classes=pick(EASY[family]), train=train,
        scaling=pick(["standard"] * 4 + ["unit"] * 3 + ["centred"]) if not flat else "standard",
        label_noise=pick([0.0] * 8 + [0.1, 0.2]), kind=kind, width=width, depth=depth,
        norm=not light and bool(rng.random() < (0.75 if kind != "plain" else 0.4)),
        activation=pick(["relu"] * 8 + ["tanh", "gelu"]) if kind in {"mlp", "plain"} else "relu",
        init=pick(["he", "he", "xavier", "default", "default"]),
        dropout=pick([0.0, 0.0, 0.0, 0.2, 0.5]) if kind in {"mlp", "plain"} else 0.0,
        augment=not flat and family not in {"ecg", "digits"} and bool(rng.random() < 0.3),
        optimizer=optimizer, weight_decay=pick([0.0, 0.0, 1e-4, 5e-4, 1e-2 if optimizer == "adamw" else 2e-3]),
        batch=batch, schedule=pick(["constant"] * 6 + ["step"] * 2 + ["cosine"] * 3 + ["warmup_cosine"]), epochs=epochs,
        seed=1000 + number, held=pick([200, 400, 800, 800, 1500]), lowest=round(centre - 2.55, 3),
        highest=round(centre + 2.55, 3), count=18,
    )  # fmt: skip


def draw_third(number: int) -> Problem:
    """Draw a problem of the third space: convolutional networks that train for long, as most recorded curves are.

    16 rates 0.4 decades apart over six decades; 12 to 120 epochs over 400 to 4,000 pictures or signals; in half of the
    problems a schedule. Factors of runs of a few epochs are known worst, and the first two spaces are mostly short.
    """
    rng = np.random.default_rng(150_000 + number)
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731 - a word for one line's job
    family = pick([n for n, w in LONG.items() for _ in range(w)])
    kind = pick(["plain"] * 5 + ["residual"] * 4 + ["inception"] * 2)
    depth = pick([2, 3, 3, 4] if kind == "inception" else [2, 3, 3, 4, 5, 6])
    optimizer = pick(["sgd"] * 6 + ["momentum"] * 6 + ["nesterov"] + ["adam"] * 6 + ["adamw"] * 2 + ["rmsprop"])
    batch = pick([16, 32, 32, 64, 64, 128, 128, 256])
    images = images_for(LONG_SECONDS * rng.uniform(0.6, 1.4), family, kind, 8, depth, batch)
    wanted = pick([400, 600, 1000, 1600, 2500, 4000])
    epochs = int(np.clip(images / wanted, 12, 120))
    train = int(np.clip(images / epochs, 300, min(4000, FAMILIES[family][1])))
    while batch > 16 and train // batch * epochs < 300:
        batch //= 2
    centre = CENTRES.get(optimizer, -2.3) + rng.uniform(-0.3, 0.3)
    return Problem(
        number=number, family=family, classes=pick(EASY[family]), train=train,
        scaling=pick(["standard"] * 4 + ["unit"] * 3 + ["centred"]), label_noise=pick([0.0] * 8 + [0.1, 0.2]),
        kind=kind, width=8, depth=depth, norm=bool(rng.random() < (0.75 if kind != "plain" else 0.45)),
        activation=pick(["relu"] * 9 + ["gelu"]) if kind == "plain" else "relu",
        init=pick(["he", "he", "xavier", "default", "default"]),
        dropout=pick([0.0, 0.0, 0.0, 0.2, 0.5]) if kind == "plain" else 0.0,
        augment=family not in {"ecg", "digits"} and bool(rng.random() < 0.4),
        optimizer=optimizer, weight_decay=pick([0.0, 0.0, 1e-4, 5e-4, 1e-2 if optimizer == "adamw" else 2e-3]),
        batch=batch, schedule=pick(["constant"] * 5 + ["step"] * 2 + ["cosine"] * 3 + ["warmup_cosine"]), epochs=epochs,
        seed=1000 + number, held=pick([400, 800, 1500]), lowest=round(centre - 3.0, 3),
        highest=round(centre + 3.0, 3), count=16,
    )  # fmt: skip
