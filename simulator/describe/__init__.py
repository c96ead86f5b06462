"""What is asked: chips, networks and workloads as files say them, checked once, then frozen."""
