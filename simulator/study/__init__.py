"""One question each: twins, network, validation, crossover, always-on."""
