"""Where results come from: a record of a finished run, and the run as an RO-Crate."""
