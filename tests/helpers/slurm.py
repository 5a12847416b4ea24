"""Slurm in tests: what its jobs requested, and options for Snakemake on it."""

import subprocess

PROFILE = ["--workflow-profile", "workflow/profiles/slurm"]


def slurm(*words: str) -> str:
    """Run a command of Slurm; return what it prints."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def options() -> list[str]:
    """Return Snakemake's options for this Slurm: the profile, and what a cluster may lack.

    Without accounting, sacct reports no job. A small Slurm has few cores, and no network between
    the jobs and Snakemake.
    """
    words = [*PROFILE, "--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "15"]
    if "accounting_storage/none" in slurm("scontrol", "show", "config"):
        words += ["--slurm-status-command", "squeue"]
    return words


def job(number: str) -> dict[str, str]:
    """Return what Slurm knows of a job, by the names of `scontrol show job`."""
    fields = slurm("scontrol", "show", "job", number).split()
    return dict(field.split("=", 1) for field in fields if "=" in field)


def jobs_of(rule: str, folder: object) -> list[str]:
    """Return the numbers of a rule's jobs that were submitted in a folder, in order."""
    rows = slurm("squeue", "--states=all", "--noheader", "--format=%i|%k|%Z").splitlines()
    jobs = [row.split("|") for row in rows]
    return sorted((number for number, *of in jobs if of == [rule, str(folder)]), key=int)
