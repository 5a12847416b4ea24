"""Classes are their names: the names of known data sets, and how two lists are matched."""
