"""External weights: where they are published, and the cache folder that `tinygan fetch` fills."""
