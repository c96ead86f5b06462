"""Points chosen by what earlier ones came out as: optuna's TPE and NSGA-II, by budget.

Points are asked for in batches of a size the study states, and told in the order of their numbers,
so that the same points are found whatever the number of processes.  A point that was asked for
before costs nothing of the budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from simulator.describe.axes import Axis, Choice
from simulator.describe.study_file import Study
from simulator.errors import InputError
from simulator.study.point import DONE
from simulator.study.space import Point, n_different, point
from simulator.study.table import Row

METHODS = ("tpe", "nsga2")
DIRECTION = {"minimise": "minimize", "maximise": "maximize"}
#: how often in a row the optimiser may ask for nothing new before it is done
PATIENCE = 20
#: by how much a point that failed is said to break its constraints
WORST = 1e9


def require() -> Any:
    """Return optuna; raises InputError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise InputError(
            "choose.method: must be grid, random or latin-hypercube where optuna is not "
            "installed: pip install -e '.[optimise]' brings it"
        ) from error
    return optuna


def first(study: Study) -> Point:
    """Return a point to see what a summary holds: the first choice of every axis."""
    return point(study, 0, [axis.between(0.0) for axis in study.axes])


def run(study: Study, evaluate: Callable[[Sequence[Point]], list[Row]]) -> None:
    """Let the optimiser choose points until the study's budget is spent, or nothing is new."""
    optuna = require()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    assert study.points is not None
    budget = min(study.points, n_different(study.axes))
    found = optuna.create_study(
        sampler=_sampler(optuna, study),
        directions=[DIRECTION[goal] for goal in study.objectives.values()],
    )
    rows: dict[tuple[str, ...], Row] = {}
    idle = 0
    while len(rows) < budget and idle < PATIENCE:
        asked = [
            (trial, _choices(study.axes, trial))
            for trial in (found.ask() for _ in range(study.batch))
        ]
        new: dict[tuple[str, ...], Point] = {}
        for _, choices in asked:
            labels = _labels(choices)
            if labels not in rows and labels not in new and len(rows) + len(new) < budget:
                new[labels] = point(study, len(rows) + len(new), choices)
        idle = 0 if new else idle + 1
        rows.update(zip(new, evaluate(list(new.values()))))
        for trial, choices in asked:
            row = rows.get(_labels(choices))
            if row is None:  # beyond the budget
                found.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                trial.set_constraint("kept", _broken(study, row))
                found.tell(trial, _values(study, row))


def _labels(choices: Sequence[Choice]) -> tuple[str, ...]:
    return tuple(str(choice.label) for choice in choices)


def _sampler(optuna: Any, study: Study) -> Any:
    samplers = optuna.samplers
    if study.method == "nsga2":
        return samplers.NSGAIISampler(population_size=max(study.batch, 2), seed=study.seed)
    return samplers.TPESampler(
        multivariate=True, constant_liar=True, n_startup_trials=study.batch, seed=study.seed
    )


def _choices(axes: Sequence[Axis], trial: Any) -> list[Choice]:
    """Return one choice per axis, as the optimiser suggests it."""
    found = []
    for axis in axes:
        spread = axis.range
        if spread is None:
            numbers = all(isinstance(c.label, (int, float)) for c in axis.choices)
            last = len(axis.choices) - 1
            if numbers:  # in their order, which means something
                ordered = sorted(axis.choices, key=lambda choice: choice.label)
                found.append(ordered[trial.suggest_int(axis.name, 0, last)])
            else:
                found.append(
                    axis.choices[trial.suggest_categorical(axis.name, list(range(last + 1)))]
                )
        elif spread.is_whole:
            number = trial.suggest_int(
                axis.name, int(spread.first), int(spread.last), log=spread.is_log
            )
            found.append(axis.choose(number))
        else:
            number = trial.suggest_float(axis.name, spread.first, spread.last, log=spread.is_log)
            found.append(axis.choose(float(f"{number:.6g}")))
    return found


def _values(study: Study, row: Row) -> list[float]:
    """Return the objectives of a row; of one that has none something worse than any other."""
    values = [row.values[study.metrics.index(name)] for name in study.objectives]
    if any(value is None for value in values):
        return [WORST if goal == "minimise" else -WORST for goal in study.objectives.values()]
    return [float(value) for value in values]


def _broken(study: Study, row: Row) -> float:
    """Return by how much a row breaks its constraints, each in shares of its bound; 0 or less:
    it keeps them.
    """
    if row.status == DONE:
        return 0.0
    broken = 0.0
    for name, (least, most) in study.constraints.items():
        value = row.values[study.metrics.index(name)]
        if value is None:
            return WORST
        for bound, sign in ((least, 1.0), (most, -1.0)):
            if bound is not None:
                broken += max(0.0, sign * (bound - value)) / max(abs(bound), 1e-30)
    return broken if broken > 0 and math.isfinite(broken) else WORST
