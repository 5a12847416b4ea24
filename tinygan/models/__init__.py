"""Networks: the student, its discriminator, and the systems of Table 1."""
