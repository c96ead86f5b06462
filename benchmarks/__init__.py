"""Races against other simulators and against the targets of docs/performance.md: `make bench`,
`spikemesh bench`.
"""
