"""Images on disk: the shard store, folders of images, and the real datasets."""
