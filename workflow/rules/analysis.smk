# Tables, figures and the check of the paper's claims: scores and images -> what the reader sees.


rule table1:
    input:
        scores_of("real", "teacher", "std", "std_half", "dw", *OWN, *SOURCES),
        rules.cost.output,
        script="analysis/table1.py",
        code=script_code("table1"),
    output:
        table_files("table1", "Table 1: cost and scores"),
    log:
        f"{P}/logs/table1.log",
    benchmark:
        f"{P}/benchmarks/table1.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        config=planned,
        results=lambda wildcards: P,
        out=lambda wildcards, output: os.path.splitext(output[0])[0],
        settings=sections("preset", "seed", "classes", "metrics", *LABELLED)
        | {"real": config["real"]["source"]},
    shell:
        "python {input.script} --config {params.config} --results {params.results}"
        " --out {params.out} > {log} 2>&1"


use rule table1 as table2 with:
    input:
        scores_of("dw", "no_feat", "no_gan", "no_kd_adv", "pix_only", *OWN),
        script="analysis/table2.py",
        code=script_code("table2"),
    output:
        table_files("table2", "Table 2: ablations"),
    log:
        f"{P}/logs/table2.log",
    benchmark:
        f"{P}/benchmarks/table2.tsv"


use rule table1 as fig1 with:
    input:
        sampled("dw"),
        teacher=shards("teacher", "manifest.json"),
        script="analysis/fig1.py",
        code=script_code("fig1"),
    output:
        figure_files("fig1", "Figure 1: teacher and student"),
    log:
        f"{P}/logs/fig1.log",
    benchmark:
        f"{P}/benchmarks/fig1.tsv"


use rule table1 as fig3 with:
    input:
        sampled("pix_only"),
        teacher=shards("teacher", "manifest.json"),
        script="analysis/fig3.py",
        code=script_code("fig3"),
    output:
        figure_files("fig3", "Figure 3: the pixel loss alone"),
    log:
        f"{P}/logs/fig3.log",
    benchmark:
        f"{P}/benchmarks/fig3.tsv"


use rule table1 as fig8 with:
    input:
        scores_of(*CURVES),
        expand(rules.curve.output, variant=CURVES),
        script="analysis/fig8.py",
        code=script_code("fig8"),
    output:
        figure_files("fig8", "Figure 8: learning curves"),
    log:
        f"{P}/logs/fig8.log",
    benchmark:
        f"{P}/benchmarks/fig8.tsv"


use rule table1 as fig9 with:
    input:
        scores_of("teacher", "dw", "std"),
        intra_of("teacher", "dw", "std"),
        script="analysis/fig9.py",
        code=script_code("fig9"),
    output:
        figure_files("fig9", "Figure 9: class by class"),
    log:
        f"{P}/logs/fig9.log",
    benchmark:
        f"{P}/benchmarks/fig9.tsv"


use rule table1 as fig11 with:
    input:
        sampled("dw"),
        scores_of("dw"),
        intra_of("dw"),
        teacher=shards("teacher", "manifest.json"),
        script="analysis/fig11.py",
        code=script_code("fig11"),
    output:
        figure_files("fig11", "Figure 11: the worst classes"),
    log:
        f"{P}/logs/fig11.log",
    benchmark:
        f"{P}/benchmarks/fig11.tsv"


rule claims:
    input:
        scores_of("teacher", *PAPER_VARIANTS),
        intra_of("teacher", "dw", "std"),
        expand(rules.curve.output, variant=CURVES),
        rules.cost.output,
        script="analysis/claims.py",
        code=script_code("claims"),
    output:
        md=f"{P}/claims.md",
        page=reported(f"{P}/claims.html", "Claims", "The paper's claims", "../report/claims.rst"),
    log:
        f"{P}/logs/claims.log",
    benchmark:
        f"{P}/benchmarks/claims.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        config=planned,
        results=lambda wildcards: P,
        settings=sections("preset", "seed", "classes", "metrics", *LABELLED)
        | {"real": config["real"]["source"]},
    shell:
        "python {input.script} --config {params.config} --results {params.results}"
        " --out {output.md} > {log} 2>&1"


# The few numbers of each source that `dvc metrics show` prints.
rule metrics:
    input:
        scores_of(*SCORED),
        script="analysis/metrics.py",
        code=script_code("metrics"),
    output:
        f"{P}/metrics.json",
    log:
        f"{P}/logs/metrics.log",
    benchmark:
        f"{P}/benchmarks/metrics.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        config=planned,
        results=lambda wildcards: P,
        settings=sections("variants") | {"sources": list(SOURCES)},
    shell:
        "python {input.script} --config {params.config} --results {params.results}"
        " --out {output} > {log} 2>&1"


rule tables:
    input:
        rules.table1.output,
        rules.table2.output,
        rules.cost_paper.output,
        rules.claims.output,
        rules.metrics.output,


rule figures:
    input:
        rules.fig1.output,
        rules.fig3.output,
        rules.fig8.output,
        rules.fig9.output,
        rules.fig11.output,
