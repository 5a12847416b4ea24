"""Compute the features and logits of images."""
