"""Time and memory by rule, from benchmark files."""

from pathlib import Path

from helpers.finished_run import two_shards, write_benchmark

from tinygan.provenance.jobs import jobs_by_rule


def test_seconds_are_summed_and_the_largest_memory_counts(tmp_path: Path) -> None:
    write_benchmark(tmp_path, "sample/dw/000-004", "1.5", "300.25")
    write_benchmark(tmp_path, "sample/std/005-009", "2.25", "120")
    write_benchmark(tmp_path, "cost", "4", "90")
    assert jobs_by_rule(tmp_path, two_shards()) == {
        "cost": {"jobs": 1, "seconds": 4.0, "peak_mb": 90.0},
        "sample": {"jobs": 2, "seconds": 3.8, "peak_mb": 300.25},
    }


def test_a_job_that_was_too_short_to_be_measured_has_no_memory(tmp_path: Path) -> None:
    write_benchmark(tmp_path, "cost", "0.1", "NA")
    write_benchmark(tmp_path, "score/dw", "0.1", "-")
    write_benchmark(tmp_path, "score/std", "3", "50")
    found = jobs_by_rule(tmp_path, two_shards())
    assert found["cost"]["peak_mb"] is None and found["score"]["peak_mb"] == 50.0


def test_what_the_config_no_longer_has_is_left_out(tmp_path: Path) -> None:
    config = two_shards(sources={"mine": "pictures"})
    for name in ("train/removed", "sample/dw/000-009", "score/other", "provenance", "report_page"):
        write_benchmark(tmp_path, name, "1", "1")
    for name in ("score/mine", "harvest/teacher_pairs/000-004", "real_train/005-009"):
        write_benchmark(tmp_path, name, "1", "1")
    assert list(jobs_by_rule(tmp_path, config)) == ["harvest", "real_train", "score"]


def test_the_jobs_of_every_seed_count_and_those_of_other_seeds_do_not(tmp_path: Path) -> None:
    config = two_shards(train={"seeds": [1, 2]})
    for name in ("train/dw/seed1", "train/dw/seed2", "sample/dw/seed1/000-004", "score/std/seed2"):
        write_benchmark(tmp_path, name, "1", "1")
    # Of seeds that the config does not have; of nothing that it has; of no seed at all.
    for name in (
        "train/dw",
        "train/dw/seed3",
        "score/seed1",
        "score/real/seed1",
        "score/000-004/dw",
    ):
        write_benchmark(tmp_path, name, "1", "1")
    found = {rule: numbers["jobs"] for rule, numbers in jobs_by_rule(tmp_path, config).items()}
    assert found == {"sample": 1, "score": 1, "train": 2}


def test_a_run_without_benchmarks_has_no_jobs(tmp_path: Path) -> None:
    assert jobs_by_rule(tmp_path, two_shards()) == {}
