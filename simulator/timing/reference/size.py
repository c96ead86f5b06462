"""How much memory the executable specification takes, before it is built."""

from __future__ import annotations

from simulator import memory
from simulator.mapping.plan import Activity, Plan
from simulator.timing.record import COUNTERS

#: bytes of Python objects, measured over meshes of 4 to 256 routers with 0 to 4 cores and 1 to 8
#: VCs (tests/timing/test_reference_memory.py measures them again)
ROUTER, CHANNEL = 10_000, 1_150
ENDPOINT, ENDPOINT_CHANNEL = 18_000, 1_500
#: of a message or an injection, while its step is under way
WORK = 120


def need(plan: Plan, activity: Activity) -> None:
    """Raise MemoryLimitError where the machine as SimPy processes would take more than may be
    taken.
    """
    routers = plan.n_routers * (ROUTER + plan.ports * plan.virtual_channels * CHANNEL)
    endpoints = plan.n_endpoints * (ENDPOINT + plan.virtual_channels * ENDPOINT_CHANNEL)
    columns = len(COUNTERS) + len(activity.operand_bits)
    counters = 8 * columns * (plan.n_endpoints + 2 * activity.n_steps)
    work = WORK * (len(activity.message_row) + len(activity.inject_row))
    memory.need(
        f"{plan.width} x {plan.height} routers and {plan.n_endpoints:,} endpoints as SimPy "
        "processes; the compiled engine takes less",
        routers + endpoints + counters + work,
    )
