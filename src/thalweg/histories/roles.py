"""Which curve of a log is the training loss, which the validation accuracy: as the user, format or name says."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.names import JUDGED, Meaning, meaning, split_of, stand_in, words
from thalweg.histories.recording import Curve, Recording
from thalweg.histories.sums import with_sums

__all__ = ["AXES", "SIGNALS", "Roles", "assign", "told_of_test"]

SIGNALS = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
    "gradient_norm",
    "batch_loss",
    "batch_accuracy",
    "seconds",
)
"""Names of the curves that a diagnosis looks at."""

AXES = ("epoch", "step")
"""What else `--columns` may name."""

_SHOWN = 12
_LEAST_PERCENT = 5.0
_NUMBERED = re.compile(r"validation_(\d+)[-/ ]")
_LOSSES = {"loss", "losses", "err", "error"}
_REWARDS, _EPISODES = {"rew", "reward", "rewards"}, {"ep", "episode", "episodic", "rollout"}
_DUEL = ({"g", "gen", "generator"}, {"d", "dis", "disc", "discriminator", "critic"})
_CONVERTED = {"error_rate": "accuracy", "perplexity": "loss"}


@dataclass(slots=True)
class Roles:
    """Curves by the name of their signal.

    Args:
        known: Signal name to curve; error rates and perplexities (`val_error_rate`) await their conversion.
        other: The rest, under their own names.
        notes: What was guessed.
    """

    known: dict[str, Curve] = field(default_factory=dict)
    other: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def assign(recording: Recording, columns: Mapping[str, str]) -> Roles:
    """Give every curve its signal's name.

    Args:
        recording: The run as read.
        columns: What the user says: signal name to column name.

    Returns:
        The curves by role.

    Raises:
        LogError: A column that the user names is not there.
    """
    roles = Roles()
    left = list(recording.curves)
    for signal, wanted in columns.items():
        if signal not in AXES:
            curve = _named(wanted, left, recording)
            roles.known[signal] = curve
            left = [each for each in left if each is not curve]
    for curve in left:
        if curve.signal not in {"", "-"} and curve.signal not in roles.known:
            roles.known[curve.signal] = curve
    unsaid = [curve for curve in left if not curve.signal]
    if not columns:
        _refuse_numbers(unsaid, recording.place)
        _refuse_duels(unsaid, recording.place)
        _refuse_rewards(unsaid, recording.place)
    roles.other += [curve for curve in left if curve.signal and roles.known.get(curve.signal) is not curve]
    _guess(with_sums(unsaid, {*columns, *roles.known}, roles.notes), roles)
    _batches_for_epochs(roles)
    return roles


def _refuse_numbers(curves: Sequence[Curve], place: str) -> None:
    """Refuse what XGBoost calls `validation_0` and `validation_1`: often the first is the training set."""
    numbered = {found[1]: curve.name for curve in curves if (found := _NUMBERED.match(curve.name))}
    if len(numbered) > 1 and not any(meaning(curve.name).split == "train" for curve in curves):
        one, two = list(numbered.values())[:2]
        way = printable(f"train_loss={one},val_loss={two}")
        raise LogError(
            f"{place} numbers its data sets, as XGBoost does, and does not say which was trained on: "
            f"say --columns {way}"
        )


def _refuse_duels(curves: Sequence[Curve], place: str) -> None:
    """Refuse a generator and its discriminator, where no loss of both is told: neither has to fall."""
    if any(meaning(curve.name).quantity in {"loss", "perplexity"} for curve in curves):
        return
    parts = {curve.name: set(words(curve.name)) for curve in curves}
    sides = [[name for name, each in parts.items() if each & side and each & _LOSSES] for side in _DUEL]
    if all(sides):
        one, two = printable(sides[0][0]), printable(sides[1][0])
        way = f"train_loss={one}"
        raise LogError(
            f"{place} has the losses of two networks that play against each other ({one}, {two}), of which neither "
            f"has to fall: say --columns {way} to have one judged as if it were alone"
        )


def _refuse_rewards(curves: Sequence[Curve], place: str) -> None:
    """Refuse reinforcement learning: its loss follows a policy that moves its own data, and need not fall."""
    losses = [curve.name for curve in curves if meaning(curve.name).quantity == "loss"]
    for curve in curves if losses else ():
        parts = set(words(curve.name))
        # A mean reward alone is no sign: a reward model is trained with labels, and logs one.
        if parts & _REWARDS and parts & _EPISODES:
            name, way = printable(curve.name), f"train_loss={printable(losses[0])}"
            raise LogError(
                f"{place} is of reinforcement learning ({name}), whose loss need not fall as the policy gets better: "
                f"say --columns {way} to have it judged as if it were supervised"
            )


def _named(wanted: str, curves: Sequence[Curve], recording: Recording) -> Curve:
    """The curve a user means: by its exact name, or but for spaces and capitals."""
    for plain in (str, str.strip, lambda name: name.strip().lower()):
        for curve in curves:
            if plain(curve.name) == plain(wanted):
                return curve
    names = [curve.name for curve in curves]
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    raise LogError(
        f"{recording.place} has no column {printable(wanted)!r}: {printable(hint)}it has {printable(listed)}"
    )


def _guess(curves: list[Curve], roles: Roles) -> None:
    """Guess from the names, the plainest first; what is taken already stays as it is."""
    meanings = [(curve, meaning(curve.name)) for curve in curves]
    meanings = _without_times(meanings)
    if not any(meaning(curve.name).quantity in JUDGED for curve in roles.known.values()):
        meanings = _stand_ins(meanings, roles.notes)
    said = {(each.quantity, each.split) for _, each in meanings}
    told = set(roles.known)
    lone = not told and {each for each in said if each[0] in JUDGED} <= {("accuracy", ""), ("error_rate", "")}
    meanings.sort(key=lambda pair: (-pair[1].plain, pair[1].per != "epoch"))
    for curve, each in meanings:
        name = _signal(each, said, told)
        if name and name not in roles.known:
            roles.known[name] = curve
            _tell(curve, each, name, roles, lone=lone)
        else:
            roles.other.append(curve)
            if name and name in roles.known and meaning(roles.known[name].name).plain == each.plain:
                roles.notes.append(
                    f"{printable(curve.name)} could be {name} too; {printable(roles.known[name].name)} was taken"
                )
    order = {id(curve): place for place, curve in enumerate(curves)}
    roles.other.sort(key=lambda curve: order.get(id(curve), 0))


def _without_times(meanings: list[tuple[Curve, Meaning]]) -> list[tuple[Curve, Meaning]]:
    """Take a cost for no loss where a loss is so called: Paddle's `batch_cost` and GluonCV's `Training cost` are times.

    Returns:
        What the curves mean now.
    """
    parts = [set(words(curve.name)) for curve, _ in meanings]
    if not any("cost" in each for each in parts) or not any({"loss", "losses"} & each for each in parts):
        return meanings
    nothing = Meaning(quantity="")
    return [(curve, nothing if "cost" in each else said) for (curve, said), each in zip(meanings, parts, strict=True)]


def _stand_ins(meanings: list[tuple[Curve, Meaning]], notes: list[str]) -> list[tuple[Curve, Meaning]]:
    """Where nothing is a loss or an accuracy by its name, take what can stand for one: an RMSE, an `error`.

    Returns:
        What the curves mean now.
    """
    if any(each.quantity in JUDGED for _, each in meanings):
        return meanings
    found = [(curve, each) for curve, said in meanings if not said.quantity and (each := stand_in(curve.name))]
    losses = {each.split: (curve, each) for curve, each in reversed(_of_one_kind(found))}  # the first of each split
    errors = [pair for pair in found if pair[1].quantity == "error_rate"]
    falls = {id(curve): each for curve, each in losses.values()}
    if falls:
        metrics = [curve.name for curve, _ in losses.values()]
        notes += [f"{printable(metric)} stands for the loss: less of it is better" for metric in metrics]
    elif errors and _are_rates(errors) and not any(map(_of_regression, (curve.name for curve, _ in meanings))):
        for curve, each in errors:
            split = "train" if each.split in {"", "train"} else "val"
            notes.append(
                f"{printable(curve.name)} was taken as an error rate, since nothing else tells how the run goes: say "
                f"--columns {split}_loss={printable(curve.name)} where it is a loss"
            )
        falls = {id(curve): each for curve, each in errors}
    return [(curve, falls.get(id(curve), each)) for curve, each in meanings]


def _of_one_kind(found: list[tuple[Curve, Meaning]]) -> list[tuple[Curve, Meaning]]:
    """Those that may be a loss; of losses of several names the total, or none, for each is a part."""
    losses = [pair for pair in found if pair[1].quantity == "loss"]
    kinds = {
        " ".join(part for part in words(curve.name) if not split_of(part))
        for curve, _ in losses
        if "loss" in words(curve.name)
    }
    if len(kinds) < 2:  # noqa: PLR2004 - of two, which?
        return losses
    totals = {kind for kind in kinds if "total" in kind}
    return [pair for pair in losses if "total" in words(pair[0].name)] if len(totals) == 1 else []


def _of_regression(name: str) -> bool:
    parts = set(words(name))
    return {"r", "2"} <= parts or bool(parts & {"rsquared", "psnr", "pearson", "correlation"})


def _are_rates(errors: list[tuple[Curve, Meaning]]) -> bool:
    """Whether curves called `error` can be rates; a percentage that never reaches 5 % might be a loss as well."""
    values = np.concatenate([curve.values for curve, _ in errors])
    finite = values[np.isfinite(values)]
    highest = float(finite.max(initial=0.0))
    fits = highest <= 1 or _LEAST_PERCENT <= highest <= 100  # noqa: PLR2004 - percent
    return fits and float(finite.min(initial=0.0)) >= 0


def _signal(each: Meaning, said: set[tuple[str, str]], told: set[str]) -> str:
    """The signal's name for a meaning; empty for none."""
    if each.quantity not in JUDGED:
        return each.quantity
    split = _split(each, said, told)
    if not split:
        return ""
    if each.per == "step":
        return f"batch_{each.quantity}" if split == "train" and each.quantity in {"loss", "accuracy"} else ""
    return f"{split}_{each.quantity}"


def _split(each: Meaning, said: set[tuple[str, str]], told: set[str]) -> str:
    """The split of a loss or accuracy; empty where another curve has its place."""
    if each.split in {"train", "val"}:
        return each.split
    judged = {pair[1] for pair in said if pair[1] in {"val", "test"} and _same(pair[0], each.quantity)}
    if each.split == "test":
        return "" if "val" in judged else "val"
    trained = any(pair[1] == "train" for pair in said) or "train_loss" in told
    watched = any(pair[1] in {"val", "test"} for pair in said) or "val_loss" in told
    if each.quantity not in {"loss", "perplexity"} and trained and watched and not judged:
        return "val"
    return "" if (each.quantity, "train") in said else "train"


def _batches_for_epochs(roles: Roles) -> None:
    """Losses of batches stand in for those of epochs where epochs can be told, by their number or by evaluations."""
    for quantity in ("loss", "accuracy"):
        curve = roles.known.get(f"batch_{quantity}")
        told = any(name.startswith("val_") for name in roles.known) or (curve is not None and curve.epochs is not None)
        if curve is not None and not curve.signal and told and f"train_{quantity}" not in roles.known:
            roles.known[f"train_{quantity}"] = roles.known.pop(f"batch_{quantity}")


def _same(one: str, other: str) -> bool:
    return _CONVERTED.get(one, one) == _CONVERTED.get(other, other)


def told_of_test(name: str, signal: str) -> str:
    """Say that a test curve was taken for want of another.

    Args:
        name: What the log calls it.
        signal: What it was taken as.

    Returns:
        The note.
    """
    return f"there is no validation curve: {printable(name)} (test) was taken as {signal}"


def _tell(curve: Curve, each: Meaning, name: str, roles: Roles, *, lone: bool) -> None:
    """Note what the name alone did not say; of a lone accuracy nothing else says it either."""
    if each.split == "test" and each.quantity in JUDGED:
        roles.notes.append(told_of_test(curve.name, name))
    elif not each.split and name == "val_accuracy":
        roles.notes.append(f"{printable(curve.name)} does not say its split: taken as {name}, beside a training loss")
    elif lone and name == "train_accuracy":
        roles.notes.append(
            f"{printable(curve.name)} does not say its split: taken as {name}; say --columns val_accuracy="
            f"{printable(curve.name)} where it is of validation"
        )
    elif lone and name == "train_error_rate":
        roles.notes.append(f"{printable(curve.name)} does not say its split: taken as of training")
