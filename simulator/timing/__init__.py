"""When it happens: written twice, compared cycle for cycle."""
