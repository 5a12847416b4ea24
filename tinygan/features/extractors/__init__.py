"""The extractors, one module each, named as in the config's metrics.extractor."""
