# The playground, where students draw in the browser: a folder to serve. `make playground` installs what
# it runs there, from npm, and makes it; `all` does not.
from tinygan.playground.files import PAGE, PAGE_FOLDER, PRECISIONS, RUNTIME, RUNTIME_FOLDER
from tinygan.playground.files import model_file, playground_files

PLAYED = ["dw", "std"]


def runtime(wildcards):
    """Return the files of npm's package; one sentence where they are not installed."""
    files = [RUNTIME_FOLDER / name for name in RUNTIME]
    if not all(file.is_file() for file in files):
        raise WorkflowError(
            "onnxruntime-web is not installed in playground/: run `make playground`"
        )
    return files


rule playground:
    input:
        runtime,
        page=[PAGE_FOLDER / name for name in PAGE],
        models=[f"{P}/exports/{model_file(name, kind)}" for name in PLAYED for kind in PRECISIONS],
        reports=[f"{P}/exports/{name}/export.json" for name in PLAYED],
        teacher=shards("teacher", "manifest.json"),
        cost=rules.cost.output,
    output:
        expand(f"{P}/playground/{{file}}", file=playground_files(PLAYED, len(config["classes"]))),
    log:
        f"{P}/logs/playground.log",
    benchmark:
        f"{P}/benchmarks/playground.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(1000),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("playground"),
        results=P,
        variants=PLAYED,
        folder=subpath(output[0], parent=True),
        settings=sections("seed", "classes"),
    shell:
        "python -m tinygan playground --config {params.config} --threads {threads} --results {params.results}"
        " --variants {params.variants} --out {params.folder} > {log} 2>&1"
