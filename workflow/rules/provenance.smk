# Where the results come from: a record of the run. Its times, and maybe its commit, differ from run to
# run, so no rule but the report's reads it. It is written again when a result is.
import snakemake as engine


rule provenance:
    input:
        rules.tables.input,
        rules.figures.input,
        rules.scores.input,
        rules.model_cards.input,
        expand([GENERATOR, CARD], student=STUDENTS),
    output:
        json=report(
            f"{P}/provenance.json",
            category="Provenance",
            labels={"result": "Provenance (JSON)"},
            caption="../report/provenance.rst",
        ),
        # The first page of the report includes it.
        page=f"{P}/provenance.rst",
    log:
        f"{P}/logs/provenance.log",
    benchmark:
        f"{P}/benchmarks/provenance.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(500),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("provenance"),
        folder=subpath(output.json, parent=True),
        # Functions of `output`, like the config: another version alone reruns nothing.
        environments=environments,
        snakemake=lambda wildcards, output: engine.__version__,
    shell:
        "python -m tinygan provenance --config {params.config} --threads {threads} --results {params.folder}"
        " --files {input} --environments {params.environments} --snakemake {params.snakemake}"
        " --out {output.json} > {log} 2>&1"
