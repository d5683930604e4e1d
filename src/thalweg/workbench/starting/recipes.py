"""What a plan leaves open is filled in here, network by network, from measurements (docs/decisions)."""

import re
from dataclasses import dataclass, replace

from thalweg.core.errors import PlanError
from thalweg.core.plan import OptimizerName, TrainingPlan
from thalweg.networks.catalogue import axes_of

__all__ = ["NetworkRecipe", "asked_size", "epochs_for", "mask_size", "peak_rate", "recipe_for", "recipe_of", "resolved"]

PEAK_RATES = {"adam": 1e-3, "adamw": 3e-3, "sgd": 5e-2}
LARGEST_PICTURE = 4096
"""Side in pixels; a signal may be longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRecipe:
    """Defaults that suit a network.

    Args:
        image_size: Side of the pictures, in pixels; smaller where the pictures themselves are smaller and `flexible`.
            Of signals and volumes, the longest that an axis may be.
        flexible: Whether the network takes any picture size without changing its parameters.
        pictures: Pictures to train on in all; the number of epochs follows from it ...
        epochs: ... between these bounds.
        batch_size: Pictures a step.
        optimizer: The optimizer.
        learning_rate: Peak rate that usually serves, for that optimizer.
        trusted: It is used where short trials agree with it within this factor: large where whole runs have shown it.
        weight_decay: For `adamw` and `sgd`; `adam` takes none.
        label_smoothing: Share of the target spread over all classes.
        average: Decay of the moving average of weights.
        stages: Picture sizes in the course of the run, as fractions.
        overlap: Weight of the overlap loss beside the cross-entropy, where every pixel has a class.
    """

    image_size: int
    flexible: bool
    pictures: int = 150_000
    epochs: tuple[int, int] = (12, 200)
    batch_size: int = 32
    optimizer: OptimizerName = "adam"
    learning_rate: float = 1e-3
    trusted: float = 2.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    average: float = 0.0
    stages: tuple[float, ...] = (1.0,)
    overlap: float = 0.0


SMALL = NetworkRecipe(
    image_size=96,
    flexible=True,
    batch_size=16,
    optimizer="adamw",
    learning_rate=2e-3,
    trusted=16.0,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.995,
)
PLAIN = NetworkRecipe(image_size=256, flexible=False, epochs=(10, 10), average=0.98)
OTHERS = NetworkRecipe(
    image_size=128,
    flexible=False,
    optimizer="adamw",
    learning_rate=1e-3,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.99,
)
INCEPTION = replace(OTHERS, flexible=True, batch_size=64, learning_rate=4e-3, trusted=8.0, average=0.995)
"""It ends in a global average: pictures of 32 pixels, as CIFAR's, keep their size."""
OWN = replace(OTHERS, flexible=True)

SIGNALS = NetworkRecipe(
    image_size=4096,
    flexible=True,
    pictures=130_000,
    epochs=(8, 100),
    batch_size=64,
    optimizer="adamw",
    learning_rate=2e-3,
    trusted=8.0,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.995,
)
VOLUMES = NetworkRecipe(
    image_size=32,
    flexible=True,
    pictures=24_000,
    epochs=(10, 60),
    batch_size=16,
    optimizer="adamw",
    learning_rate=2e-3,
    trusted=8.0,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.99,
)


TRANSFER = NetworkRecipe(
    image_size=224,
    flexible=False,
    pictures=25_000,
    epochs=(4, 30),
    optimizer="adamw",
    learning_rate=3e-4,
    trusted=16.0,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.99,
)
"""Fine-tuning a pretrained network: few passes, since little is left to learn, and small steps: 6e-4 undoes what the
head was fitted to, and eight passes are too few to make good for it; 2e-5 is too slow for them (decision 0021). 3e-4
was better than 1.5e-4 in every pair of runs (decision 0053)."""
MASKS = NetworkRecipe(
    image_size=256,
    flexible=True,
    pictures=15_000,
    epochs=(15, 120),
    batch_size=8,
    optimizer="adamw",
    learning_rate=2e-3,
    trusted=8.0,
    weight_decay=0.05,
    average=0.99,
    overlap=1.0,
)
"""A class for every pixel (decision 0038): the size is the longer side's, the other follows from the pictures'
proportions."""
MASK_STEP = 16
PROBE = NetworkRecipe(
    image_size=224,
    flexible=False,
    pictures=100_000,
    epochs=(20, 60),
    batch_size=64,
    optimizer="adamw",
    learning_rate=2e-3,
    trusted=8.0,
    weight_decay=2.0,
    label_smoothing=0.0,
    average=0.99,
)
"""A head on cached features: an epoch takes a moment, and decay alone holds it back (decision 0051)."""
LAYER_DECAY = 0.7
FROZEN = "1"
"""Edges and colours stay as they came: a thousandth of the weights, and a third of a step's work (decision 0021)."""
UNFREEZE = 0.3
MAKES_GOOD = 110
"""Updates after which fine-tuning at its usual rate is ahead of any lower one; after a third of them a sixth of it is
best (decisions 0051 and 0053)."""
ENLARGED = 3
"""Pictures smaller than a backbone's usual ones are enlarged at most so many times: it knows no tinier patterns."""


def recipe_of(plan: TrainingPlan) -> NetworkRecipe:
    """Find the defaults of a plan: of its network, or of what is done with a pretrained one.

    Args:
        plan: Its network, backbone and what is frozen are looked at.

    Returns:
        The recipe.

    Example:
        >>> plan = TrainingPlan(source="photos", network="inception-v3", backbone="inception-v3")
        >>> recipe_of(plan).image_size
        299
    """
    if plan.task == "segmentation":
        return MASKS
    if plan.backbone is None:
        return recipe_for(plan.network, axes=plan.own_axes)
    recipe = PROBE if plan.trains_head_only else TRANSFER
    return replace(recipe, image_size=299) if plan.network == "inception-v3" else recipe


def recipe_for(network: str, *, axes: int | None = None) -> NetworkRecipe:
    """Find the defaults of a network.

    Args:
        network: Its name in the catalogue, or of one's own.
        axes: Spatial axes of what a network of one's own takes; None for one of the catalogue.

    Returns:
        The recipe.

    Example:
        >>> recipe_for("plain-functional").image_size
        256
    """
    if (axes or axes_of(network)) != 2:  # noqa: PLR2004 - pictures
        return SIGNALS if (axes or axes_of(network)) == 1 else VOLUMES
    if axes:
        return OWN
    if network in {"small", "inception"}:
        return SMALL if network == "small" else INCEPTION
    return PLAIN if network.split("-", maxsplit=1)[0] == "plain" else OTHERS


def peak_rate(plan: TrainingPlan, steps: int | None = None) -> tuple[float, float]:
    """The rate that usually serves: the recipe's, or the optimizer's usual one where the user chose another.

    Args:
        plan: A resolved plan.
        steps: Updates of the run, where they are known. Fine-tuning at the usual rate first loses what the head was
            fitted to; a run of fewer than a hundred cannot make good for that, and takes a share of the rate.

    Returns:
        The learning rate, and the factor within which short trials must agree with it.

    Example:
        >>> plan = TrainingPlan(source="photos", backbone="resnet18")
        >>> [round(peak_rate(plan, steps)[0], 6) for steps in (33, 110, 2000)]
        [4.9e-05, 0.0003, 0.0003]
    """
    recipe = recipe_of(plan)
    name = plan.optimizer or recipe.optimizer
    usual = name == recipe.optimizer
    rate, trusted = (recipe.learning_rate, recipe.trusted) if usual else (PEAK_RATES[name], OTHERS.trusted)
    share = min(1.0, steps / MAKES_GOOD) ** 1.5 if steps is not None and plan.fine_tunes else 1.0
    return share * rate, trusted


def epochs_for(network: str | TrainingPlan, files: int) -> int:
    """How long to train where the user does not say: small sets often, large sets a few times.

    Args:
        network: Its name in the catalogue, or the plan.
        files: Training files.

    Returns:
        Number of epochs.

    Example:
        >>> [epochs_for("small", files) for files in (100, 2_099, 300_000)]
        [200, 71, 12]
    """
    recipe = recipe_for(network) if isinstance(network, str) else recipe_of(network)
    low, high = recipe.epochs
    return max(low, min(high, round(recipe.pictures / max(1, files))))


def asked_size(given: int | str | None) -> tuple[int | None, int | None]:
    """Read what `--image-size` takes.

    Args:
        given: A number of pixels, or `240x180`.

    Returns:
        Side or width, and the height where it was given.

    Raises:
        PlanError: It is neither.

    Example:
        >>> asked_size("240x180"), asked_size("96")
        ((240, 180), (96, None))
    """
    if given is None or isinstance(given, int):
        return given, None
    found = re.fullmatch(r"([+-]?\d{1,9})(?:x(\d{1,9}))?", given.strip().lower())
    if found is None:  # "32x" among them: half a wish is none
        raise PlanError(f"--image-size {given}: a number of pixels, or width x height such as 240x180, is wanted")
    return int(found[1]), int(found[2]) if found[2] else None


def mask_size(plan: TrainingPlan, picture: tuple[int, int]) -> tuple[int, int]:
    """Width and height that pictures with masks are brought to.

    Args:
        plan: With the size that the user gave, if any: width and height, or the longer side alone.
        picture: Typical width and height of the pictures.

    Returns:
        Width and height; without a wish multiples of 16, the longer side at most 256.

    Example:
        >>> plan = TrainingPlan(source="street", task="segmentation")
        >>> mask_size(plan, (480, 360)), mask_size(plan.with_options(image_size=240), (480, 360))
        ((256, 192), (240, 180))
    """
    if plan.image_size is not None and plan.image_height is not None:
        return plan.image_size, plan.image_height
    longest = max(picture)
    wanted = plan.image_size or min(MASKS.image_size, longest)
    step = 1 if plan.image_size else MASK_STEP
    wide, high = (max(step, round(wanted * each / longest / step) * step) for each in picture)
    return wide, high


def resolved(plan: TrainingPlan, *, picture_side: int, picture: tuple[int, int] | None = None) -> TrainingPlan:
    """Fill in everything that the plan leaves to its network's recipe.

    Args:
        plan: What the user decided.
        picture_side: Typical side of the source's pictures, in pixels, or the longest axis of its signals or volumes.
        picture: Typical width and height of pictures with masks.

    Returns:
        The plan without open fields, but for the learning rate, epochs and minutes.

    Raises:
        PlanError: Pictures larger than any network is trained on were asked for.
    """
    recipe = recipe_of(plan)
    side = recipe.image_size
    measured = (plan.own_axes or axes_of(plan.network)) != 2  # noqa: PLR2004 - pictures
    if measured:  # no axis is stretched, whatever was asked for
        side = min(plan.image_size or side, picture_side)
    elif max(plan.image_size or 0, plan.image_height or 0) > LARGEST_PICTURE:
        raise PlanError(f"--image-size {plan.size_option} is out of range for pictures: at most {LARGEST_PICTURE}")
    elif picture is not None and plan.task == "segmentation":
        side, high = mask_size(plan, picture)
        plan = replace(plan, image_size=side, image_height=high)
    elif plan.image_height is not None:
        raise PlanError(
            f"--image-size {plan.size_option}: pictures without masks are brought to a square; give one number"
        )
    elif plan.backbone is not None:
        side = min(side, max(96, -(-ENLARGED * picture_side // 32) * 32))
    elif recipe.flexible:
        side = min(side, max(32, -(-picture_side // 16) * 16))
    optimizer = plan.optimizer or recipe.optimizer
    decay = {"adam": 0.0, "adamw": 0.05, "sgd": 5e-4}[optimizer]

    def either(value: float | None, default: float) -> float:
        return default if value is None else value

    return replace(
        plan,
        image_size=side if measured else plan.image_size or side,
        batch_size=plan.batch_size or recipe.batch_size,
        optimizer=optimizer,
        weight_decay=either(plan.weight_decay, recipe.weight_decay if optimizer == recipe.optimizer else decay),
        label_smoothing=either(plan.label_smoothing, recipe.label_smoothing),
        average=either(plan.average, recipe.average),
        stages=plan.stages or recipe.stages,
        overlap_loss=either(plan.overlap_loss, recipe.overlap) if plan.task == "segmentation" else plan.overlap_loss,
        freeze=FROZEN if plan.fine_tunes and plan.freeze is None else plan.freeze,
        layer_decay=LAYER_DECAY if plan.backbone and plan.layer_decay is None else plan.layer_decay,
        unfreeze=(0.0 if picture else UNFREEZE) if plan.backbone and plan.unfreeze is None else plan.unfreeze,
    )
