"""The extractors, one module each; the module's name is the config's metrics.extractor."""
