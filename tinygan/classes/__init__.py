"""Class names: those of known datasets, and the matching of two lists by name."""
