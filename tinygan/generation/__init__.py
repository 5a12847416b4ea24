"""Generators -> images."""
