# Metrics: shards -> features -> scores.
# inception_tf runs in TensorFlow; the curve, which samples with PyTorch, then needs both.
TENSORFLOW = config["metrics"]["extractor"] == "inception_tf"
EXTRACTOR_ENV = "../envs/teacher.yaml" if TENSORFLOW else "../envs/torch.yaml"
CURVE_ENV = "../../environment.yml" if TENSORFLOW else "../envs/torch.yaml"
# A graph at a URL is no file of the workflow.
GRAPH = [config["metrics"].get("inception_graph", "://")] if TENSORFLOW else []
GRAPH = [file for file in GRAPH if "://" not in file]
EXTRACTOR = f"tinygan.features.extractors.{config['metrics']['extractor']}"


rule features:
    input:
        manifest=f"{P}/images/{{source}}/{{range}}/manifest.json",
        graph=GRAPH,
        code=code("features", EXTRACTOR),
    output:
        temp(f"{P}/features/{{source}}/{{range}}.npz"),
    log:
        f"{P}/logs/features/{{source}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/features/{{source}}/{{range}}.tsv"
    conda:
        EXTRACTOR_ENV
    threads: 1
    resources:
        mem_mb=4000 if TENSORFLOW else 2000,
    params:
        config=planned,
        folder=lambda wildcards, output: os.path.splitext(output[0])[0].replace(
            f"{P}/features", f"{P}/images"
        ),
        settings={key: config["metrics"].get(key) for key in EXTRACTION},
    shell:
        "python -m tinygan features --config {params.config} --threads {threads} --images {params.folder}"
        " --out {output} > {log} 2>&1"


use rule features as features_sampled with:
    input:
        lambda wildcards: sampled(wildcards.variant, [wildcards.range]),
        graph=GRAPH,
        code=code("features", EXTRACTOR),
    output:
        temp(f"{P}/features/{{variant}}/{{range}}.npz"),
    log:
        f"{P}/logs/features/{{variant}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/features/{{variant}}/{{range}}.tsv"
    wildcard_constraints:
        variant=GENERATED,


# The floor: as many real images as a model has samples, against the other real images.
rule floor:
    input:
        real=features("real"),
        code=code("score"),
    output:
        score=f"{P}/scores/real.json",
        intra=f"{P}/intra_fid/real.csv",
    log:
        f"{P}/logs/score/real.log",
    benchmark:
        f"{P}/benchmarks/score/real.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["metrics"].get("threads", 1)
    resources:
        mem_mb=2000,
    params:
        config=planned,
        settings=sections("seed", "classes", "metrics"),
    shell:
        "python -m tinygan score --config {params.config} --threads {threads} --source real --real {input.real}"
        " --out {output.score} --intra {output.intra} > {log} 2>&1"


rule score_teacher:
    input:
        real=features("real"),
        images=features("teacher"),
        code=code("score"),
    output:
        score=f"{P}/scores/teacher.json",
        intra=f"{P}/intra_fid/teacher.csv",
    log:
        f"{P}/logs/score/teacher.log",
    benchmark:
        f"{P}/benchmarks/score/teacher.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["metrics"].get("threads", 1)
    resources:
        mem_mb=2000,
    params:
        config=planned,
        source=lambda wildcards, output: Path(output.score).stem,
        settings=sections("seed", "classes", "metrics"),
    shell:
        "python -m tinygan score --config {params.config} --threads {threads} --source {params.source}"
        " --real {input.real} --images {input.images}"
        " --out {output.score} --intra {output.intra} > {log} 2>&1"


use rule score_teacher as score_variant with:
    input:
        real=features("real"),
        images=lambda wildcards: features(wildcards.variant),
        code=code("score"),
    output:
        score=f"{P}/scores/{{variant}}.json",
        intra=f"{P}/intra_fid/{{variant}}.csv",
    log:
        f"{P}/logs/score/{{variant}}.log",
    benchmark:
        f"{P}/benchmarks/score/{{variant}}.tsv"
    wildcard_constraints:
        variant=GENERATED,


rule curve:
    input:
        real=features("real"),
        snapshots=lambda wildcards: snapshots(wildcards.variant),
        card=CARD,
        graph=GRAPH,
        code=code("curve", EXTRACTOR),
    output:
        f"{P}/scores/curve/{{variant}}.csv",
    log:
        f"{P}/logs/curve/{{variant}}.log",
    benchmark:
        f"{P}/benchmarks/curve/{{variant}}.tsv"
    conda:
        CURVE_ENV
    threads: 1
    resources:
        mem_mb=SAMPLE_MB + (4000 if TENSORFLOW else 1000),
    params:
        config=planned,
        model=subpath(input.card, parent=True),
        settings=sections("seed", "z_dim", "classes", "metrics")
        | {"truncation": config["teacher"]["truncation"]},
    shell:
        "python -m tinygan curve --config {params.config} --threads {threads} --model {params.model}"
        " --real {input.real} --out {output} > {log} 2>&1"


rule cost:
    input:
        code=code("cost"),
    output:
        f"{P}/cost.csv",
    log:
        f"{P}/logs/cost.log",
    benchmark:
        f"{P}/benchmarks/cost.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        config=planned,
        settings=sections("image_size", "z_dim", "classes", "teacher", "mini_teacher"),
        students={v: sections("student", "loss", of=RESOLVED[v]) for v in VARIANTS},
    shell:
        "python -m tinygan cost --config {params.config} --threads {threads} --out {output} > {log} 2>&1"


# The six systems of the paper's Table 1 at its size: the same in every preset.
rule cost_paper:
    input:
        code=code("cost"),
    output:
        f"{P}/tables/cost_paper.csv",
    log:
        f"{P}/logs/cost_paper.log",
    benchmark:
        f"{P}/benchmarks/cost_paper.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        config=planned,
    shell:
        "python -m tinygan cost --paper --config {params.config} --threads {threads} --out {output}"
        " > {log} 2>&1"


rule scores:
    input:
        expand(f"{P}/scores/{{source}}.json", source=SCORED),
        expand(f"{P}/intra_fid/{{source}}.csv", source=SCORED),
        expand(rules.curve.output, variant=CURVES),
        rules.cost.output,
