"""Descriptions: chips, networks and workloads are read from files, checked once and frozen."""
