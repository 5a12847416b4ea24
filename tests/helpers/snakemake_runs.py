"""Running Snakemake, and what it prints."""

import re


def jobs(output: str) -> dict[str, int]:
    """Read the table of jobs that a dry run prints."""
    table = output.split("Job stats:")[1].split("Reasons:")[0] if "Job stats:" in output else ""
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
