# Real images: files -> shards.


rule download:
    input:
        code=code("real"),
    output:
        f"{P}/downloads/animal_mnist.whl",
    log:
        f"{P}/logs/download.log",
    benchmark:
        f"{P}/benchmarks/download.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        config=CONFIG,
        real=sections("real"),
    shell:
        "python -m tinygan download --config {params.config} --threads {threads} --out {output} > {log} 2>&1"


rule real:
    input:
        wheel=rules.download.output[0],
        code=code("real", "shards"),
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
        mem_mb=1000,
    params:
        config=CONFIG,
        folder=lambda wildcards: f"{P}/images/real",
        settings=sections("real", "image_size", "classes", "classes_per_shard"),
    shell:
        "python -m tinygan real --config {params.config} --threads {threads} --wheel {input.wheel}"
        " --out {params.folder} > {log} 2>&1"
