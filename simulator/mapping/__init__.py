"""Where it sits: partition, placement, packets, and the frozen Plan and Activity."""
