# Tables, figures and the check of the paper's claims.


# Every table and figure: its name, its kind (see KINDS in artefacts.smk), its title in the report, and the
# files that its script reads, by option. To add one, write a row here, a script analysis/NAME.py with
# these options, and a caption workflow/report/NAME.rst.
ARTEFACTS = {
    "table1": Artefact(
        "table",
        "Table 1: cost and scores",
        {
            "scores": scores_of(
                "real", "teacher", *trained("std", "std_half", "dw", *OWN), *SOURCES
            ),
            "cost": rules.cost.output,
        },
    ),
    "table2": Artefact(
        "table",
        "Table 2: ablations",
        {"scores": scores_of(*trained("dw", "no_feat", "no_gan", "no_kd_adv", "pix_only", *OWN))},
    ),
    "variance": Artefact(
        "table",
        "Variance of the scores",
        {"scores": scores_of(*trained(*VARIANTS))},
    ),
    "score_sheet": Artefact(
        "table",
        "Score sheet",
        {"scores": scores_of("real", "teacher", *trained(*VARIANTS), *SOURCES)},
    ),
    "fig1": Artefact(
        "figure",
        "Figure 1: teacher and student",
        {"teacher": previews_of("teacher"), "student": previews_of(shown("dw"))},
    ),
    "fig3": Artefact(
        "figure",
        "Figure 3: the pixel loss alone",
        {"teacher": previews_of("teacher"), "student": previews_of(shown("pix_only"))},
    ),
    "fig7": Artefact(
        "figure",
        "Figure 7: random samples beside a baseline",
        {"student": previews_of(shown("dw")), "baseline": previews_of(baseline())},
    ),
    "fig8": Artefact(
        "figure",
        "Figure 8: learning curves",
        {"scores": scores_of(*trained(*CURVES)), "curves": curves_of(*trained(*CURVES))},
    ),
    "fig9": Artefact(
        "figure",
        "Figure 9: class by class",
        {
            "scores": scores_of("teacher", *trained("dw", "std")),
            "intra": intra_of("teacher", *trained("dw", "std")),
        },
    ),
    "fig10": Artefact("figure", "Figure 10: interpolations", {"paths": paths_of(shown("dw"))}),
    "fig11": Artefact(
        "figure",
        "Figure 11: the worst classes",
        {
            "teacher": previews_of("teacher"),
            "student": previews_of(shown("dw")),
            "scores": scores_of(shown("dw")),
            "intra": intra_of(shown("dw")),
        },
    ),
    "claims": Artefact(
        "claims",
        "The paper's claims",
        {
            "scores": scores_of("teacher", *trained(*PAPER_VARIANTS)),
            "intra": intra_of("teacher", *trained("dw", "std")),
            "curves": curves_of(*trained(*CURVES)),
            "cost": rules.cost.output,
            "cost_paper": rules.cost_paper.output,
            "interpolation": rules.smoothness.output,
        },
    ),
}
# Targets of their own. They show times, which differ from run to run, so they are not in `all`.
MEASURED = {
    "compression": Artefact(
        "table",
        "Compression: precision, size and speed",
        {
            "scores": scores_of(*(s for v in COMPRESSED for s in (shown(v), *exported(v)))),
            "exports": expand(rules.export.output.card, variant=COMPRESSED),
            "times": expand(rules.export_speed.output, variant=COMPRESSED),
        },
    ),
}
if POINTS:
    MEASURED["sweep"] = Artefact(
        "sweep",
        "Sweep: FID against cost",
        {
            "scores": scores_of("teacher", *trained(*POINTS)),
            "cost": rules.sweep_cost.output,
            "speed": rules.sweep_speed.output,
        },
    )

else:

    rule sweep:
        input:
            no_points,


for name, artefact in (ARTEFACTS | MEASURED).items():

    rule:
        name:
            name
        input:
            **artefact.inputs,
        output:
            *files_of(name, artefact),
        log:
            f"{P}/logs/{name}.log",
        benchmark:
            f"{P}/benchmarks/{name}.tsv"
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=more(1000),
            runtime=more(SHORT),
        params:
            config=planned,
            # Not an input: a comment in it must rerun nothing.
            script=f"analysis/{name}.py",
            code=script_code(name),
            # From the rule's own inputs: a command is evaluated after the loop.
            inputs=lambda wildcards, input: as_options(input),
            out=lambda wildcards, output: os.path.splitext(output[0])[0],
            settings=settings_of(artefact),
        shell:
            "python {params.script} --config {params.config} {params.inputs} --out {params.out}"
            " > {log} 2>&1"


rule tables:
    input:
        [getattr(rules, name).output for name in ARTEFACTS if ARTEFACTS[name].kind != "figure"],
        rules.cost_paper.output,


rule figures:
    input:
        [getattr(rules, name).output for name in ARTEFACTS if ARTEFACTS[name].kind == "figure"],
