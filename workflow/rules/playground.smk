# The playground, where the students dw and std draw in the browser: a folder to serve. It needs npm, so
# `all` does not make it.
from tinygan.playground.files import (
    PACKAGE,
    PAGE,
    PAGE_FOLDER,
    RUNTIME,
    RUNTIME_FOLDER,
    model_file,
    playground_files,
)

PLAYED = ["dw", "std"]


# What runs the students there, at the versions and hashes of the lock file.
rule npm:
    input:
        [f"{PAGE_FOLDER}/{name}" for name in PACKAGE],
    output:
        [f"{RUNTIME_FOLDER}/{name}" for name in RUNTIME],
    log:
        f"{P}/logs/npm.log",
    benchmark:
        f"{P}/benchmarks/npm.tsv"
    # First, so that a missing npm is reported before any training.
    priority: 2
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(500),
        runtime=more(SHORT),
    params:
        folder=subpath(input[0], parent=True),
        none="error: there is no npm on the PATH: install Node.js, which has it",
        failed="error: npm could not install onnxruntime-web; its own error is above",
    shell:
        "command -v npm > /dev/null || {{ echo '{params.none}' > {log}; exit 1; }}; "
        "npm ci --prefix {params.folder} --ignore-scripts > {log} 2>&1"
        " || {{ echo '{params.failed}' >> {log}; exit 1; }}"


rule playground:
    input:
        runtime=rules.npm.output,
        page=[f"{PAGE_FOLDER}/{name}" for name in PAGE],
        models=[
            f"{P}/exports/{model_file(name, kind)}"
            for name in PLAYED
            for kind in EXPORT_PRECISIONS
        ],
        reports=[f"{P}/exports/{name}/export.json" for name in PLAYED],
        teacher=previews_of("teacher"),
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
        results=subpath(output[0], ancestor=2),
        variants=PLAYED,
        folder=subpath(output[0], parent=True),
        settings=sections("seed", "classes"),
    shell:
        "python -m tinygan playground --config {params.config} --threads {threads} --results {params.results}"
        " --variants {params.variants} --out {params.folder} > {log} 2>&1"
