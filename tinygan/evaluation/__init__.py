"""Score a set of images or a learning curve, and compare two folders of images."""
