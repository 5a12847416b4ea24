"""What a run needs before it starts: a checked config, disk, images, time."""
