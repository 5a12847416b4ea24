"""The config: reading, types and ranges, and values derived from it. Imports no room but assets."""
