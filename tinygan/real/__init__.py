"""Real images: files of a data set -> shards."""
