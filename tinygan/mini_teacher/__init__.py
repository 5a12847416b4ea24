"""Train, export and describe the mini teacher that the repository ships."""
