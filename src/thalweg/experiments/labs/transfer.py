"""How much labelled data does a pretrained backbone replace? Against from scratch, and which depth transfers."""

import functools
import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch

from thalweg.core.errors import SourceError
from thalweg.core.files import cache_folder, printable
from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.report import Curves, Drawing, Line, Table
from thalweg.experiments.data import LabData, LabPart, lab_data
from thalweg.experiments.foreseen import Work, foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.many import in_processes
from thalweg.experiments.seeds import Seeds
from thalweg.experiments.transfer_runs import (
    SCRATCH_BATCH,
    TUNING_BATCH,
    Case,
    Head,
    Subject,
    coloured,
    head_on,
    stage_features,
    train_case,
)
from thalweg.modules.build import build
from thalweg.networks.backbones import backbone, head_of
from thalweg.networks.catalogue import network
from thalweg.pretrained.fitting import fit as fit_weights
from thalweg.pretrained.obtaining import Weights, obtain
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.workbench.explaining.stages import Place, places_of

__all__ = ["LAB", "replaced"]

NETWORK = "efficientnet-lite0"
SIDES, SAMPLES, SEEDS = (64, 96), (400, 2000), (3, 5)
"""Quick, full."""
SHARES = (0.01, 0.02, 0.05, 0.10, 0.25, 1.0)
TUNED = ((0.10, 1.0), SHARES)
EPOCHS, LEAST_STEPS, TUNING_STEPS = (5, 20), (40, 200), (20, 120)
_OF_DEPTH = 0.8
"""Share of the training files for the heads at each depth: drawn for each seed, so that there is a spread."""
SCRATCH, FROZEN, TUNING = "from scratch", "frozen, head alone", "fine-tuned"
_LIMITS = tuple(
    """One backbone, one set of weights (ImageNet), one small network from scratch; a larger one may do better or worse.
The default pictures, solar cells in grey, are far from ImageNet's photos; name photos as the source for a near domain.
From scratch nothing is augmented and the recipe is one for all shares; a tuned recipe would narrow the gap.
Pictures are brought to a small side, where the backbone knows larger ones.
Intervals tell how much the choice of samples and seeds matter; that the held-out pictures are a sample is not in them.
""".splitlines()
)


@dataclass(frozen=True, slots=True)
class _Found:
    scores: dict[tuple[str, float], list[float]]
    seconds: dict[tuple[str, float], list[float]]
    depths: dict[str, list[float]]
    features: float


def _run(request: LabRequest) -> LabResult:
    number = 0 if request.quick else 1
    weights = _weights()
    data = coloured(_pictures(request, number))
    subject = _subject(data, weights)
    places = places_of(subject.backbone)
    found = _measure(subject, places, request, number)
    scores = Seeds(values={_name(*key): each for key, each in found.scores.items()})
    return LabResult(
        name="transfer",
        question="How much labelled data does a pretrained backbone replace, and which depth transfers?",
        setup={
            "data": data.said(),
            "backbone": f"{NETWORK}, {weights.about}",
            FROZEN: "a linear head on the trunk's features, by L-BFGS, weight decay chosen on a quarter of the files",
            TUNING: f"on from that head, all weights, Adam at 0.0003, {TUNING_STEPS[number]} steps of 16, batch "
            f"normalisations as they came",
            SCRATCH: f"small, Adam at 0.003, {EPOCHS[number]} epochs but at least {LEAST_STEPS[number]} steps of 32",
            "shares": ", ".join(f"{share:.0%}" for share in SHARES) + " of the training files, drawn for each seed",
            "depth": f"a linear head on each stage's maps, averaged over places, with {_OF_DEPTH:.0%} of the files",
            "seeds": f"{SEEDS[number]}; intervals are 95 %, by Student's t",
        },
        table=_table(found, scores, len(data.train)),
        findings=_findings(found, scores, places, len(data.train)),
        limits=_LIMITS,
        figures=(_curves(found, len(data.train)), _depths(found, places)),
    )


def _weights() -> Weights:
    return obtain(NETWORK, None, shelf=cache_folder() / "weights", download=_never)


def _never(link: str) -> Path:
    raise SourceError(f"{link} is not fetched by an experiment")  # the weights come with a package


def _pictures(request: LabRequest, number: int) -> LabData:
    data = lab_data(request.source, side=SIDES[number], listener=request.listener, most=SAMPLES[number])
    if data.shape.axes != 2:  # noqa: PLR2004 - the backbone knows pictures
        kinds = {1: "signals", 3: "volumes"}
        raise SourceError(
            f"{printable(data.source)} holds {kinds[data.shape.axes]}: the backbone knows pictures; name a folder of "
            f"them, or no source for the solar cells"
        )
    return data


def _subject(data: LabData, weights: Weights) -> Subject:
    spec = backbone(NETWORK, data.shape, len(data.classes))
    head = head_of(spec).name
    module = build(spec.logits()[0], seed=0)
    fit_weights(module, weights.tensors, name=NETWORK, place=weights.place, leave=(f"{head}.",))
    scratch = network("small", data.shape, len(data.classes))
    return Subject(data=data, scratch=scratch, backbone=spec, weights=module.state_dict(), head=head)


def _works(subject: Subject, number: int) -> list[Work]:
    samples, seeds = len(subject.data.train), SEEDS[number]
    features = (samples + len(subject.data.test)) / TUNING_BATCH / 3  # forward only, and in one process
    return [
        Work(spec=subject.backbone, steps=2 * features, batch=TUNING_BATCH),
        Work(
            spec=subject.backbone, steps=TUNING_STEPS[number], batch=TUNING_BATCH, trainings=seeds * len(TUNED[number])
        ),
        *(
            Work(spec=subject.scratch, steps=_steps(round(share * samples), number), trainings=seeds)
            for share in SHARES
        ),
    ]


def _steps(count: int, number: int) -> int:
    return max(LEAST_STEPS[number], EPOCHS[number] * -(-count // SCRATCH_BATCH))


def _measure(subject: Subject, places: Sequence[Place], request: LabRequest, number: int) -> _Found:
    """Features once; heads on them here; trainings in processes."""
    data, seeds = subject.data, [request.seed + each for each in range(SEEDS[number])]
    module = build(subject.backbone.logits()[0], seed=0)
    module.load_state_dict(dict(subject.weights))
    foresee("transfer", _works(subject, number), request)
    request.listener.say(f"Features of {len(data.train) + len(data.test):,} pictures at {len(places)} depths ...")
    began = time.process_time()
    layers = [place.layer for place in places]
    told, held = stage_features(module, layers, data.train), stage_features(module, layers, data.test)
    features = (time.process_time() - began) / (len(data.train) + len(data.test))
    classes = len(data.classes)

    @functools.cache
    def head(layer: str, count: int, seed: int) -> Head:
        rows = LabPart(values=np.arange(len(data.train)), labels=data.train.labels).some(count, seed)
        at, truth = torch.from_numpy(rows.values), data.test.targets
        return head_on(told[layer][at], rows.targets, held[layer], truth, classes, seed)

    depths = {
        layer: [head(layer, round(_OF_DEPTH * len(data.train)), seed).accuracy for seed in seeds] for layer in layers
    }
    scores: dict[tuple[str, float], list[float]] = {}
    seconds: dict[tuple[str, float], list[float]] = {}
    cases: list[tuple[str, float, Case]] = []
    for share in SHARES:
        count = max(classes, round(share * len(data.train)))
        for seed in seeds:
            start = head(layers[-1], count, seed)
            scores.setdefault((FROZEN, share), []).append(start.accuracy)
            seconds.setdefault((FROZEN, share), []).append(start.seconds + count * features)
            cases.append((SCRATCH, share, Case(count=count, seed=seed, steps=_steps(count, number))))
            if share in TUNED[number]:
                tuned = Case(count=count, seed=seed, steps=TUNING_STEPS[number], start=start)
                cases.append((TUNING, share, tuned))
    ended = in_processes(
        train_case, subject, [case for *_, case in cases], workers=request.workers, listener=request.listener
    )
    for (how, share, _), end in zip(cases, ended, strict=True):
        scores.setdefault((how, share), []).append(end.accuracy)
        seconds.setdefault((how, share), []).append(end.seconds)
    return _Found(scores, seconds, depths, features)


def _name(how: str, share: float) -> str:
    return f"{how}, {share:.0%}"


def _table(found: _Found, scores: Seeds, samples: int) -> Table:
    rows = []
    for share in SHARES:
        for how in (SCRATCH, FROZEN, TUNING):
            if (how, share) in found.scores:
                seconds = fmean(found.seconds[how, share])
                rows.append((
                    f"{share:.0%}",
                    f"{round(share * samples):,}",
                    how,
                    scores.said(_name(how, share)),
                    f"{seconds:.1f}",
                ))
    return Table(
        caption="Accuracy on the held-out pictures, and processor seconds to get there (frozen: features and fit)",
        header=("share", "files", "start", "accuracy", "seconds"),
        rows=tuple(rows),
    )


def replaced(scratch: Mapping[float, float], wanted: float) -> float | None:
    """The share of the data from which training from scratch is as right as wanted.

    Args:
        scratch: Mean accuracy by share.
        wanted: The accuracy to reach.

    Returns:
        The share, between measured ones on a line over its logarithm; None where it is never reached.

    Example:
        >>> round(replaced({0.01: 0.5, 0.1: 0.7, 1.0: 0.9}, 0.8), 3), replaced({0.01: 0.5, 1.0: 0.6}, 0.8)
        (0.316, None)
    """
    shares = sorted(scratch)
    if scratch[shares[0]] >= wanted:
        return shares[0]
    for low, high in itertools.pairwise(shares):
        if scratch[high] >= wanted:
            way = (wanted - scratch[low]) / (scratch[high] - scratch[low])
            return math.exp(math.log(low) + way * (math.log(high) - math.log(low)))
    return None


def _findings(found: _Found, scores: Seeds, places: Sequence[Place], samples: int) -> tuple[LabFinding, ...]:
    few, whole = 0.10, 1.0
    means = {share: fmean(found.scores[SCRATCH, share]) for share in SHARES}
    words = []
    for share in SHARES[:-1]:
        needed = replaced(means, fmean(found.scores[FROZEN, share]))
        told = f"more than {samples:,}" if needed is None else f"about {round(needed * samples):,}"
        if needed == SHARES[0]:
            told = f"at most {round(needed * samples):,}"
        words.append(f"{round(share * samples):,} files with the backbone are worth {told} without")
    depths = Seeds(values=found.depths)
    layers = [place.layer for place in places]
    best = max(layers, key=depths.mean)
    best_middle = max(layers[:-1], key=depths.mean)
    frozen, scratch = _name(FROZEN, few), _name(SCRATCH, few)
    tuned = {share: _name(TUNING, share) for share in (few, whole)}
    return (
        LabFinding(
            claim="With a tenth of the data, a pretrained backbone is better than starting from scratch",
            verdict=scores.better(frozen, scratch),
            observed=f"head alone {scores.said(frozen)}, from scratch {scores.said(scratch)}: "
            f"{scores.against(frozen, scratch)}; {'; '.join(words)}",
            fails="means over seeds, on a line between measured shares; the table has the intervals",
        ),
        LabFinding(
            claim="With all the data, it still is",
            verdict=scores.better(_name(FROZEN, whole), _name(SCRATCH, whole)),
            observed=f"head alone {scores.said(_name(FROZEN, whole))}, from scratch "
            f"{scores.said(_name(SCRATCH, whole))}: {scores.against(_name(FROZEN, whole), _name(SCRATCH, whole))}",
            fails=f"after {scores.said(tuned[whole])} by fine-tuning",
        ),
        LabFinding(
            claim="Fine-tuning is better than a head on the frozen trunk",
            verdict=scores.better(tuned[whole], _name(FROZEN, whole)),
            observed=f"with all files {scores.against(tuned[whole], _name(FROZEN, whole))}; with a tenth "
            f"{scores.against(tuned[few], frozen)}; processor seconds {fmean(found.seconds[TUNING, whole]):.0f} "
            f"against {fmean(found.seconds[FROZEN, whole]):.1f}",
            fails="few steps at one rate, all stages at once; thalweg train --backbone opens them one by one",
        ),
        LabFinding(
            claim="The deepest features transfer best",
            verdict=depths.better(layers[-1], best_middle),
            observed=f"a linear head at each depth: {', '.join(f'{each} {depths.mean(each):.3f}' for each in layers)}; "
            f"best {best}; last against the best before it {depths.against(layers[-1], best_middle)}",
            fails="seeds draw the files; most are the same in two draws, so these intervals are narrow",
        ),
    )


def _curves(found: _Found, samples: int) -> Curves:
    lines = []
    for how in (SCRATCH, FROZEN, TUNING):
        shares = [share for share in SHARES if (how, share) in found.scores]
        lines.append(
            Line(
                label=how,
                x=tuple(math.log10(max(1, round(share * samples))) for share in shares),
                y=tuple(fmean(found.scores[how, share]) for share in shares),
                dashed=how == SCRATCH,
            )
        )
    return Curves(
        caption="Accuracy by the number of labelled files",
        x_label="files to train on, power of ten",
        y_label="accuracy on held-out pictures",
        lines=tuple(lines),
    )


def _depths(found: _Found, places: Sequence[Place]) -> Drawing:
    scores = Seeds(values=found.depths)
    dots = []
    for place in places:
        low, high = scores.interval(place.layer) or (None, None)
        sees = f"sees {place.row.receptive_field[0]} pixels"
        dots.append(Dot(label=place.layer, value=scores.mean(place.layer), low=low, high=high, note=sees))
    return draw_dots("A linear head at each depth of the frozen trunk", "accuracy on held-out pictures", dots)


LAB = Lab(
    question="How much labelled data does a pretrained backbone replace, and which depth transfers?",
    run=_run,
    takes_source=True,
)
