"""A study's points on a Dask cluster that is there already; the extra `dask` brings the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from simulator.errors import InputError


def require() -> Any:
    """Return Dask's `distributed`; raises InputError where it is not installed."""
    try:
        import distributed
    except ImportError as error:
        raise InputError("dask: must be installed: pip install -e '.[dask]' brings it") from error
    return distributed


def stream(
    address: str, job: Callable[[Any], Iterator[Any]], tasks: Sequence[Any]
) -> Iterator[tuple[int, Any]]:
    """Yield (number of the task, value) of every task, in the order in which tasks are done.

    Raises InputError where no scheduler answers at the address.
    """
    distributed = require()
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"dask: no scheduler answers at {address}: {error}") from error
    with client:
        numbers = {
            client.submit(_all, job, task, pure=False): number for number, task in enumerate(tasks)
        }
        try:
            for future in distributed.as_completed(list(numbers), loop=client.loop):
                for value in future.result():
                    yield numbers[future], value
        finally:
            client.cancel(list(numbers))


def _all(job: Callable[[Any], Iterator[Any]], task: Any) -> list[Any]:
    return list(job(task))
