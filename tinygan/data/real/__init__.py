"""The data sets of real images, one module each; the module's name is the config's real.source."""
