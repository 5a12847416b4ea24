"""The real datasets, one module each, named as in the config's real.source."""
