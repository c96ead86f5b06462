"""What a step asks of whom."""

from __future__ import annotations

from simulator.mapping.plan import Activity


def by_step(
    activity: Activity,
) -> tuple[list[dict[int, int]], list[dict[int, list[tuple[int, int]]]]]:
    """Return the work item of each core, and the injections (offset, row) of each port, by step."""
    work = [
        {int(activity.work_core[item]): item for item in range(first, last)}
        for first, last in zip(activity.work_start.tolist(), activity.work_start[1:].tolist())
    ]
    injections: list[dict[int, list[tuple[int, int]]]] = []
    for first, last in zip(activity.inject_start.tolist(), activity.inject_start[1:].tolist()):
        of_step: dict[int, list[tuple[int, int]]] = {}
        for injection in range(first, last):
            what = int(activity.inject_offset[injection]), int(activity.inject_row[injection])
            of_step.setdefault(int(activity.inject_port[injection]), []).append(what)
        injections.append(of_step)
    return work, injections
