"""Networks: the student, the discriminator, and the systems of Table 1."""
