# Models as people share them: a model card for each student, from its scores. It is not in the model's
# folder, which is an output of DVC's stages of trainings. `tinygan release` puts the two together.
CARDS = f"{P}/cards/{{student}}"


rule model_card:
    input:
        card=CARD,
        scores=f"{P}/scores/{{student}}.json",
        teacher=scores_of("teacher"),
        real=scores_of("real"),
    output:
        text=f"{CARDS}.md",
        scores=f"{CARDS}.json",
    log:
        f"{P}/logs/model_card/{{student}}.log",
    benchmark:
        f"{P}/benchmarks/model_card/{{student}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=more(500),
        runtime=more(SHORT),
    params:
        config=planned,
        code=code("model-card", DATASET_CODE),
        model=subpath(input.card, parent=True),
        settings=sections("preset", "teacher")
        | {key: config["real"][key] for key in ("source", "requirement")},
    shell:
        "python -m tinygan model-card --config {params.config} --threads {threads} --model {params.model}"
        " --scores {input.scores} --teacher {input.teacher} --real {input.real} --out {output.text}"
        " > {log} 2>&1"


rule model_cards:
    input:
        expand(rules.model_card.output, student=STUDENTS),
