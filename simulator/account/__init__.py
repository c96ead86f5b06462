"""What a run costs: counts × energy table, and time in each state × power."""
