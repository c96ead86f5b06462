"""What it costs: counts × energy table, leakage × time, and the published closed-form model."""
