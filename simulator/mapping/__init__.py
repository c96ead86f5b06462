"""Mapping: partition, placement and packets of a network on a chip, and the frozen Plan and
Activity.
"""
