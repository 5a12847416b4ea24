"""Checks and estimates before a run: its config, disk space, numbers of images, time and memory."""
