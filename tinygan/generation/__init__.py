"""Sample images from generators."""
