"""The published closed-form energy model: its equations, constants and printed numbers."""
