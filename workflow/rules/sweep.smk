# What the artefact `sweep` shows beside scores: cost and speed of the points. Those that no variant
# trains are students of their own, in common.smk; `all` makes neither them nor these files.
if POINTS:

    rule sweep_cost:
        output:
            f"{P}/sweep/cost.csv",
        log:
            f"{P}/logs/sweep_cost.log",
        benchmark:
            f"{P}/benchmarks/sweep_cost.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=more(1000),
            runtime=more(SHORT),
        params:
            config=planned,
            code=code("cost", *map(architecture, trained(*POINTS))),
            settings=sections("image_size", "z_dim", "classes", "teacher", "mini_teacher"),
            students={point: sections("student", of=RESOLVED[shown(point)]) for point in POINTS},
            terms={point: loss_terms(point) for point in POINTS},
        shell:
            "python -m tinygan cost --sweep --config {params.config} --threads {threads} --out {output}"
            " > {log} 2>&1"

    # All points in one job, which calls them in turn: so their times compare, whatever else runs. A
    # training's seed does not matter, so it is the first.
    rule sweep_speed:
        input:
            generators=expand(GENERATOR, student=map(shown, POINTS)),
            cards=expand(CARD, student=map(shown, POINTS)),
        output:
            f"{P}/sweep/speed.json",
        log:
            f"{P}/logs/sweep_speed.log",
        benchmark:
            f"{P}/benchmarks/sweep_speed.tsv"
        conda:
            "../envs/export.yaml"
        threads: 1
        resources:
            mem_mb=more(SAMPLE_MB),
            runtime=more(SHORT),
        params:
            code=code("speed", *map(architecture, trained(*POINTS))),
            models=lambda wildcards, input: [os.path.dirname(card) for card in input.cards],
        shell:
            "python -m tinygan speed --model {params.models} --out {output} > {log} 2>&1"
