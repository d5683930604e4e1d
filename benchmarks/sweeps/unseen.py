"""How right the shipped model is on sweeps that it was not fitted on.

    python benchmarks/sweeps/unseen.py NEW.jsonl --out benchmarks/results/diagnosis-unseen.json

`run.py --first N` makes them. Say it of the model before `fit.py` takes them in; afterwards they are seen.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from fit import Data
from score import FAR, STANDARD, factor_score, verdict_score
from table import load, table

from thalweg.diagnosis.rate_model import RateModel


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = [row for row in table(load(options.runs)) if row["view"] in STANDARD]
    data, model = Data(rows), RateModel.named("learning_rate_model")
    opinions = [model.weigh(row["features"]) for row in rows]
    chances = np.array([[each.chances[name] for name in ("too_low", "about_right", "too_high")] for each in opinions])
    logs = np.array([each.factor for each in opinions])  # ends as they are told, widened
    found = {
        "problems": len(np.unique(data.problem)),
        "runs": int((data.view == "full").sum()),
        "within_30x": int(((data.view == "full") & (np.abs(data.log_factor) < FAR)).sum()),
        "views": {
            view: verdict_score(chances, data, data.view == view, model.undetermined_below)
            | factor_score(logs, chances, data, data.view == view, (0.0, 0.0))
            for view in STANDARD
        },
    }
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
