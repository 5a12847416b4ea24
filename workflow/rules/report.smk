# The report: one page for readers, of all that the run made. It is written after the record of the run,
# from which it has times, machine and versions.


rule report_page:
    input:
        claims=made(ARTEFACTS, "claims", ".json"),
        tables=made(ARTEFACTS, "table", ".md", ".csv"),
        figures=made(ARTEFACTS, "figure", ".png"),
        captions=[
            f"workflow/report/{name}.rst"
            for name, artefact in ARTEFACTS.items()
            if artefact.kind == "figure"
        ],
        cost=rules.cost.output,
        provenance=[rules.provenance.output.json],
    output:
        f"{P}/report.html",
    log:
        f"{P}/logs/report_page.log",
    benchmark:
        f"{P}/benchmarks/report_page.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more(500),
        runtime=more(SHORT),
    params:
        config=planned,
        code=script_code("report"),
        template=template_code(),
        settings=sections(
            *("preset", "image_size", "classes", "real", "teacher", "student", "train", "loss"),
            *("variants", "sources", "metrics"),
        ),
        inputs=lambda wildcards, input: as_options(input),
        out=lambda wildcards, output: os.path.splitext(output[0])[0],
    shell:
        "python analysis/report.py --config {params.config} {params.inputs} --out {params.out}"
        " > {log} 2>&1"
