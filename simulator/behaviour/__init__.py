"""What a network computes, in integers: neurons, rows of synapses, the raster of a run, and its two
twins.
"""
