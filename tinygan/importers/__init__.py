"""Weights that others published, read into this project's networks."""
