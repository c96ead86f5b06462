"""Who wins: round-robin with priorities, and the separable input-first allocator made of it."""

from __future__ import annotations

from collections.abc import Mapping


def round_robin(priority: Mapping[int, int], pointer: int, n: int) -> int:
    """Return the requester with the highest priority, then the smallest (index - pointer) mod n
    [A1].
    """
    return min(priority, key=lambda index: (-priority[index], (index - pointer) % n))


class Allocator:
    """Match n inputs to n outputs: each input picks one output, each output one input; only a match
    moves pointers [A2].
    """

    def __init__(self, n: int) -> None:
        """An allocator whose pointers all start at 0."""
        self.n = n
        self.input_pointer = [0] * n
        self.output_pointer = [0] * n

    def match(self, requests: Mapping[int, Mapping[int, int]]) -> list[tuple[int, int]]:
        """Return the matched (input, output) pairs for `requests[input][output]` = priority."""
        rivals: dict[int, dict[int, int]] = {}
        for input, wishes in requests.items():
            if wishes:
                output = round_robin(wishes, self.input_pointer[input], self.n)
                rivals.setdefault(output, {})[input] = wishes[output]
        matches = []
        for output, priority in rivals.items():
            input = round_robin(priority, self.output_pointer[output], self.n)
            self.input_pointer[input] = (output + 1) % self.n
            self.output_pointer[output] = (input + 1) % self.n
            matches.append((input, output))
        return matches
