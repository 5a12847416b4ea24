"""The config: reading, types and ranges, and what follows from it. No other room is needed here."""
