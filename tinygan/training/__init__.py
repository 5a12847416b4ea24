"""Training of a student (sections 3 and 5.4)."""
