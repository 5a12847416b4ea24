# Images from outside: a folder of the config's `sources` -> shards, scored like any other.


rule source:
    input:
        code=code("source"),
    output:
        manifest=temp(f"{P}/images/{{outside}}/{{range}}/manifest.json"),
        images=temp(f"{P}/images/{{outside}}/{{range}}/images.npy"),
        labels=temp(f"{P}/images/{{outside}}/{{range}}/labels.npy"),
        origin=f"{P}/images/{{outside}}/{{range}}.origin",
    log:
        f"{P}/logs/source/{{outside}}/{{range}}.log",
    benchmark:
        f"{P}/benchmarks/source/{{outside}}/{{range}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        # Measured: 3.0 GB for SNGAN at 128 px, 100 images a batch.
        mem_mb=4000 if config["image_size"] >= 128 else 2000,
    params:
        config=planned,
        folder=subpath(output.manifest, parent=True),
        origin=source_files,
        settings=lambda wildcards: sections("seed", "image_size", "classes")
        | {
            "folder": SOURCES[wildcards.outside],
            "samples": config["metrics"]["samples_per_class"],
        },
    shell:
        "python -m tinygan source --config {params.config} --threads {threads} --name {wildcards.outside}"
        " --classes {wildcards.range} --out {params.folder} > {log} 2>&1"
        " && echo {params.origin} > {output.origin}"
