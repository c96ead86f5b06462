"""Which encoding each projection takes: the one that is asked for, or with `auto` the one of fewest
flits, and the ways of sending that are simulated beside that one (docs/machine.md, Work).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.encoding import encoding_of
from simulator.describe.words import AUTO, BITMAP, EVENTS, QNN, STREAM, Mode
from simulator.describe.workload import Workload
from simulator.mapping import sending
from simulator.mapping.multicast import trees
from simulator.mapping.partition import CoreMapping
from simulator.mapping.plan import Plan
from simulator.mapping.sending import Formats, Sent


def chosen(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping,
    plan: Plan,
    raster: Raster,
    formats: Formats,
) -> Formats:
    """Return the formats with every 'auto' replaced by the encoding whose packets pass the fewest
    outputs of routers in this run, in flits, and of equal ones the first [W25].
    """
    by_projection = list(formats.by_projection)
    for k, encoding in enumerate(by_projection):
        if encoding == AUTO:
            passed = {}
            for choice in (EVENTS, BITMAP, STREAM) if raster.mode == QNN else (EVENTS, BITMAP):
                by_projection[k] = choice
                tried = replace(formats, by_projection=tuple(by_projection))
                sent = sending.over_projection(workload, chip, mapping, plan, raster, tried, k)
                source = mapping.cores[workload.network.projections[k].source]
                passed[choice] = flits_passed(chip, plan, sent, source)
            by_projection[k] = min(passed, key=lambda one: passed[one])
    return replace(formats, by_projection=tuple(by_projection))


def ways(workload: Workload, mode: Mode) -> Iterator[Workload]:
    """Yield a workload as it is and, where it leaves the encoding of projections open, with each
    encoding for all of those [W25].
    """
    yield workload
    network = workload.network
    asked = {
        network.ends(projection): encoding_of(network, workload.encoding, number)
        for number, projection in enumerate(network.projections)
    }
    if AUTO in asked.values():
        for choice in (EVENTS, BITMAP, STREAM) if mode == QNN else (EVENTS, BITMAP):
            found = {name: choice if one == AUTO else one for name, one in asked.items() if one}
            yield replace(workload, encoding=found)


def flits_passed(chip: Chip, plan: Plan, sent: Sent, cores: np.ndarray) -> int:
    """Return the outputs of routers that all flits of a path pass, as the router_grants of [K3]."""
    rows = sent.rows
    source = cores[sent.row_slice]
    tree = trees(plan, rows, source, chip.router.multicast)
    size = np.diff(rows.start)
    begin = np.repeat(plan.endpoint_router[source], size).astype(np.int64)
    end = plan.endpoint_router[rows.endpoint].astype(np.int64)
    away = abs(begin % plan.width - end % plan.width) + abs(begin // plan.width - end // plan.width)
    total = np.concatenate([[0], np.cumsum(rows.flits * (away + 1))])
    outputs = np.diff(total[rows.start])
    branches = np.array([int(mask).bit_count() for mask in tree["tree_mask"].tolist()], np.int64)
    whole = np.concatenate([[0], np.cumsum(branches)])
    by_tree = np.diff(whole[tree["tree_start"]])
    along = np.flatnonzero(tree["row_tree"] >= 0)
    if len(along):
        flits = rows.flits[rows.start[along]]
        outputs[along] = flits * by_tree[tree["row_tree"][along]]
    times = np.bincount(sent.row, minlength=len(size))
    return int((outputs * times).sum())
