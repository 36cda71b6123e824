"""Measures samplers of five libraries with the conformance kit and writes the tables of docs/conformance_of_libraries.md.

    python3 examples/conformance/study.py --libraries FOLDER [--filter TEXT] [--long] [--tables]

FOLDER has checkouts k-diffusion, diffusers, edm, azula and score_sde_pytorch. What was measured stays in
docs/results/libraries/, a file a sampler, and is not measured again while its file is there; --long adds the
W2 error at 1000 evaluations; --tables only writes the tables. Other packages that the libraries import have to be
installed or on PYTHONPATH.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results" / "libraries"
PAGE = ROOT / "docs" / "conformance_of_libraries.md"
MEASURED = ("evaluations,first_level,visited_levels,last_level,start_scale,affine,rows,noise_draws,limit,order,"
            "noise_at_end,leading_constant,wasserstein_cifar10")

# Properties whose failures stand in the tables.
JUDGED = ("conversation", "evaluations", "first_level", "start_scale", "affine", "rows", "limit", "order", "noise_at_end")

# Library, its folder on PYTHONPATH, adapter, the kit's flags, and a sampler with its options a line.
STUDY = [
    ("k-diffusion", "k-diffusion", "k_diffusion_samplers.py", "--sde=edm --grid=karras", """
        sample_euler
        sample_euler_ancestral
        sample_heun
        sample_dpm_2
        sample_dpm_2_ancestral
        sample_lms
        sample_dpmpp_2s_ancestral
        sample_dpmpp_sde
        sample_dpmpp_2m
        sample_dpmpp_2m_sde
        sample_dpmpp_2m_sde solver_type="heun"
        sample_dpmpp_3m_sde
        sample_dpm_fast
        sample_dpm_adaptive
        sample_dpmpp_2m zero=True
        sample_euler_ancestral zero=True"""),
    ("diffusers", "diffusers/src", "diffusers_schedulers.py", "--sde=vp --grid=log-snr", """
        DDPM clip_sample=False
        DDPM clip_sample=False variance_type=fixed_large
        DDIM clip_sample=False
        DDIM clip_sample=False eta=1.0
        EulerDiscrete
        EulerAncestralDiscrete
        HeunDiscrete
        DPMSolverMultistep final_sigmas_type=sigma_min
        DPMSolverMultistep
        DPMSolverMultistep final_sigmas_type=sigma_min algorithm_type=dpmsolver
        DPMSolverMultistep final_sigmas_type=sigma_min algorithm_type=sde-dpmsolver++
        DPMSolverMultistep final_sigmas_type=sigma_min solver_order=3
        DPMSolverSinglestep final_sigmas_type=sigma_min
        DPMSolverSDE
        UniPCMultistep final_sigmas_type=sigma_min
        UniPCMultistep final_sigmas_type=sigma_min solver_order=3
        UniPCMultistep final_sigmas_type=sigma_min solver_order=3 lower_order_final=False
        DEISMultistep
        LMSDiscrete
        PNDM
        KDPM2Discrete
        KDPM2AncestralDiscrete"""),
    ("azula", "azula", "azula_samplers.py", "--sde=vp --grid=log-snr", """
        REABSampler
        DDPMSampler
        DDIMSampler
        DDIMSampler eta=1.0
        EulerSampler
        HeunSampler
        ItoSampler
        zABSampler
        vABSampler
        zEABSampler
        xEABSampler
        PCSampler
        zABSampler order=3
        vABSampler order=3
        zEABSampler order=3
        xEABSampler order=3
        REABSampler order=3"""),
    ("EDM", "edm", "edm_samplers.py", "--sde=edm --grid=karras", """
        edm_sampler
        edm_sampler S_churn=40
        ablation_sampler solver=euler"""),
    ("EDM", "edm", "edm_samplers.py", "--sde=vp --grid=uniform", """
        ablation_sampler discretization=vp schedule=vp scaling=vp"""),
    ("score_sde_pytorch", "score_sde_pytorch", "score_sde_pytorch_samplers.py", "--sde=vp --grid=uniform", """
        euler_maruyama none"""),
    ("score_sde_pytorch", "score_sde_pytorch", "score_sde_pytorch_samplers.py",
     "--sde=vp --beta-max=10 --grid=uniform", """
        reverse_diffusion none
        ancestral_sampling none"""),
    ("score_sde_pytorch", "score_sde_pytorch", "score_sde_pytorch_samplers.py", "--sde=ve --grid=uniform", """
        euler_maruyama none
        reverse_diffusion none
        ancestral_sampling none
        reverse_diffusion langevin"""),
    ("score_sde_pytorch", "score_sde_pytorch", "score_sde_pytorch_samplers.py", "--sde=subvp --grid=uniform", """
        euler_maruyama none
        reverse_diffusion none"""),
]


def samplers():
    """Library, folder, adapter, flags and sampler of every row."""
    for library, folder, adapter, flags, names in STUDY:
        for name in names.split("\n"):
            if name.strip():
                yield library, folder, adapter, flags.split(), name.split()


def result_file(library, flags, sampler):
    words = [library, *(flag.split("=")[1] for flag in flags), *sampler]
    return RESULTS / (re.sub(r"[^\w.-]+", "", "_".join(words).replace("=", "-")) + ".json")


def conform(libraries, folder, adapter, flags, sampler):
    """The kit's report on one sampler; None, with the reason on stderr, where nothing could be measured."""
    path = os.pathsep.join([*os.environ.get("PYTHONPATH", "").split(os.pathsep), str(libraries / folder)])
    command = ["deno", "task", "conform", "--json", "--timeout=120", *flags, "--", "python3",
               f"examples/conformance/{adapter}", *sampler]
    run = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    if run.returncode == 2:
        print(run.stderr, file=sys.stderr)
        return None
    return json.loads(run.stdout)


def measure(libraries, library, folder, adapter, flags, sampler):
    """Runs the kit on one sampler and keeps what it says, with the library's commit."""
    report = conform(libraries, folder, adapter, [f"--only={MEASURED}", *flags], sampler)
    if report is None:
        return
    commit = subprocess.run(["git", "-C", libraries / folder, "log", "-1", "--format=%h %cs"], capture_output=True,
                            text=True).stdout.split()
    keep(library, flags, sampler, adapter, report, commit)


def measure_long(libraries, library, folder, adapter, flags, sampler):
    """Measures the W2 error at 1000 evaluations, too, in the place of what is kept of it."""
    file = result_file(library, flags, sampler)
    row = json.loads(file.read_text())
    kept = next((found for found in row["properties"] if found["name"] == "wasserstein_cifar10"), None)
    if kept is None or kept["verdict"] == "not measured" or kept["observed"].split(" at ")[0].count(",") == 2:
        return
    report = conform(libraries, folder, adapter, ["--only=wasserstein_cifar10", "--thorough", *flags], sampler)
    found = report and next((f for f in report["properties"] if f["name"] == "wasserstein_cifar10"), None)
    if found and found["verdict"] != "not measured":
        kept.update({field: found[field] for field in kept})
        file.write_text(json.dumps(row, ensure_ascii=False, indent=2) + "\n")


def keep(library, flags, sampler, adapter, report, commit):
    fields = ("name", "verdict", "observed", "value", "words")
    row = {
        "library": library, "commit": commit[0], "date": commit[1], "sampler": " ".join(sampler),
        "command": " ".join(["deno task conform", *flags, "-- python3", f"examples/conformance/{adapter}", *sampler]),
        "declares": report["sampler"]["declares"],
        "properties": [{field: found[field] for field in fields} for found in report["properties"]],
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    result_file(library, flags, sampler).write_text(json.dumps(row, ensure_ascii=False, indent=2) + "\n")


def cell(properties, name):
    found = properties.get(name)
    if found is None or found["verdict"] == "not measured":
        return "–"
    return found["observed"]


def line(row):
    """A row of the table: what was declared and found, and the words of what fails."""
    properties = {found["name"]: found for found in row["properties"]}
    declared = row["declares"].get("order")
    order = cell(properties, "order").split(",")[0]
    order = "–" if order.startswith("no error") else order
    remarks = [f"{name}: {properties[name]['words']}" for name in JUDGED
               if name in properties and properties[name]["verdict"] == "fails"]
    ended = re.search(r"the end .*", cell(properties, "last_level"))
    w2 = re.search(r"W₂ = (.*?) at", cell(properties, "wasserstein_cifar10"))
    constant = re.search(r"K/N(?:\^(\d))? with K = (\S+) on", cell(properties, "leading_constant"))
    constant = f"{constant[2]}/N{'⁰¹²³⁴'[int(constant[1] or 1)] if constant[1] else ''}" if constant else "–"
    cells = [f"`{row['sampler']}`", cell(properties, "evaluations"), f"{order} / {declared or '–'}", constant,
             w2[1] if w2 else "–", cell(properties, "rows").replace("other rows change by ", ""),
             ended[0].removeprefix("the end ").removeprefix("is ") if ended else "–", "; ".join(remarks) or "–"]
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def tables():
    rows = [json.loads(result_file(library, flags, sampler).read_text())
            for library, _, _, flags, sampler in samplers() if result_file(library, flags, sampler).exists()]
    parts = []
    for library, command in dict.fromkeys((row["library"], row["command"].split(" -- ")[0]) for row in rows):
        own = [row for row in rows if row["library"] == library and row["command"].split(" -- ")[0] == command]
        parts += [f"### {library}, `{command.replace('deno task conform ', '')}`", "",
                  f"Commit {own[0]['commit']} of {own[0]['date']}.", "",
                  "| sampler | evaluations | order found / claimed | leading constant | W₂ at 50, 250, 1000 | rows | end | fails |",
                  "| --- | --- | --- | --- | --- | --- | --- | --- |", *map(line, own), ""]
    text = PAGE.read_text()
    begin, end = "<!-- tables: study.py -->\n", "<!-- end of tables -->"
    head, rest = text.split(begin)
    PAGE.write_text(head + begin + "\n" + "\n".join(parts) + "\n" + end + rest.split(end)[1])
    subprocess.run(["deno", "fmt", "--quiet", PAGE, RESULTS], cwd=ROOT, check=True)


def main():
    parser = argparse.ArgumentParser(description="Measures samplers of five libraries with the conformance kit.")
    parser.add_argument("--libraries", type=Path, default=Path("."), help="folder with the libraries' checkouts")
    parser.add_argument("--filter", default="", help="only samplers with this text in library or name")
    parser.add_argument("--long", action="store_true", help="also measure W2 at 1000 evaluations, where that is not kept")
    parser.add_argument("--tables", action="store_true", help="only write the tables")
    flags = parser.parse_args()
    for library, folder, adapter, options, sampler in samplers():
        wanted = flags.filter in " ".join([library, *sampler])
        if not flags.tables and wanted and not result_file(library, options, sampler).exists():
            print(library, *sampler, file=sys.stderr)
            measure(flags.libraries.resolve(), library, folder, adapter, options, sampler)
        if flags.long and not flags.tables and wanted and result_file(library, options, sampler).exists():
            measure_long(flags.libraries.resolve(), library, folder, adapter, options, sampler)
    tables()


if __name__ == "__main__":
    main()
