# ONNX files of students, and what the artefact `compression` shows beside scores: their sizes and times.
# `all` makes none of them. Of a variant, the student of its first seed is exported.
COMPRESSED = ["dw", "std"]


rule export:
    input:
        generator=lambda wildcards: GENERATOR.format(student=shown(wildcards.variant)),
        card=lambda wildcards: CARD.format(student=shown(wildcards.variant)),
        pairs=shards("teacher_pairs", "manifest.json"),
    output:
        models=[
            f"{P}/exports/{{variant}}/{file_name(precision)}" for precision in EXPORT_PRECISIONS
        ],
        card=f"{P}/exports/{{variant}}/export.json",
    log:
        f"{P}/logs/export/{{variant}}.log",
    benchmark:
        f"{P}/benchmarks/export/{{variant}}.tsv"
    conda:
        "../envs/export.yaml"
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB),
        runtime=more(SHORT),
    params:
        code=lambda wildcards: code("export", architecture(shown(wildcards.variant))),
        model=subpath(input.generator, parent=True),
        folder=subpath(output.card, parent=True),
    shell:
        "python -m tinygan export {params.model} --pairs {input.pairs} --out {params.folder} > {log} 2>&1"


rule sample_export:
    input:
        model=f"{P}/exports/{{variant}}/{file_name('{precision}')}",
        real=f"{P}/features/real/{{range}}.npz",
        pairs=f"{P}/features/teacher_pairs/{{range}}.npz",
        graph=GRAPH,
    output:
        temp(f"{P}/class_scores/{{variant}}.{{precision}}/{{range}}.npz"),
    log:
        f"{P}/logs/sample_export/{{variant}}.{{precision}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/sample_export/{{variant}}.{{precision}}/{{range}}.tsv"
    conda:
        STREAM_ENV if TENSORFLOW else "../envs/export.yaml"
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB + EXTRACTOR_MB),
        runtime=more(minutes(PER_SHARD * SAMPLES, "sample", "features", gpus=0)),
    params:
        config=planned,
        code=code("sample-export", EXTRACTOR),
        settings=sections("seed", "classes", "metrics"),
    shell:
        "python -m tinygan sample-export --config {params.config} --threads {threads} --model {input.model}"
        " --classes {wildcards.range} --real {input.real} --pairs {input.pairs} --scores {output} > {log} 2>&1"


# PyTorch and all files in one job, which calls them in turn.
rule export_speed:
    input:
        generator=lambda wildcards: GENERATOR.format(student=shown(wildcards.variant)),
        card=lambda wildcards: CARD.format(student=shown(wildcards.variant)),
        models=rules.export.output.models,
    output:
        f"{P}/exports/{{variant}}/speed.json",
    log:
        f"{P}/logs/export_speed/{{variant}}.log",
    benchmark:
        f"{P}/benchmarks/export_speed/{{variant}}.tsv"
    conda:
        "../envs/export.yaml"
    threads: 1
    resources:
        mem_mb=more(SAMPLE_MB),
        runtime=more(SHORT),
    params:
        code=lambda wildcards: code("speed", architecture(shown(wildcards.variant))),
        model=subpath(input.generator, parent=True),
    shell:
        "python -m tinygan speed --model {params.model} {input.models} --out {output} > {log} 2>&1"
