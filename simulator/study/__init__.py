"""Studies: one module for each analysis, such as twins, network, validation, crossover and always-
on.
"""
