"""Teachers: black boxes (z, y, truncation) -> images."""
