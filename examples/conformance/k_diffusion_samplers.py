"""k-diffusion's samplers, offered to the conformance kit.

    PYTHONPATH=k-diffusion deno task conform -- python3 k_diffusion_samplers.py sample_heun [OPTION=VALUE ...]

The samplers run on x0 + sigma noise, with sigma the ratios of the run's grid, in float64. As the library's own
schedules do, zero=True appends a last sigma of 0, so that the result is data. Other options go to the sampler.
"""
import ast
import sys
import k_diffusion.sampling as library
import torch
from brownian_motion import BrownianMotion
from score_sde_conformance import serve

DECLARED = {
    "sample_euler": dict(order=1, process="ode"),
    "sample_euler_ancestral": dict(process="sde"),
    "sample_heun": dict(order=2, process="ode"),
    "sample_dpm_2": dict(order=2, process="ode"),
    "sample_dpm_2_ancestral": dict(process="sde"),
    "sample_lms": dict(order=4, process="ode"),
    "sample_dpm_fast": dict(order=3, process="ode", grid="own"),
    "sample_dpm_adaptive": dict(process="ode", grid="own"),
    "sample_dpmpp_2s_ancestral": dict(process="sde"),
    "sample_dpmpp_sde": dict(process="sde"),
    "sample_dpmpp_2m": dict(order=2, process="ode"),
    "sample_dpmpp_2m_sde": dict(process="sde"),
    "sample_dpmpp_3m_sde": dict(process="sde"),
}


def adapted(name, zero=False, **options):
    def sampler(run):
        torch.randn_like = run.randn_like
        sigmas = torch.tensor([*run.ratios, *([0.0] if zero else [])])
        x = torch.tensor(run.start / run.alphas[0])
        if name in ("sample_dpmpp_sde", "sample_dpmpp_2m_sde", "sample_dpmpp_3m_sde"):
            options["noise_sampler"] = BrownianMotion(run, x, sigmas[0])
        if name in ("sample_dpm_fast", "sample_dpm_adaptive"):
            grid = [run.ratios[-1], run.ratios[0], *([run.steps] if name == "sample_dpm_fast" else [])]
        else:
            grid = [sigmas]
        x = getattr(library, name)(run.model_sigma("denoised"), x, *grid, disable=True, **options)
        return run.end(x, time=0) if zero else x * run.alphas[-1]

    return sampler


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in DECLARED:
        sys.exit(f"usage: python3 k_diffusion_samplers.py {'|'.join(DECLARED)} [OPTION=VALUE ...]")
    torch.set_default_dtype(torch.float64)
    options = {key: ast.literal_eval(value) for key, value in (option.split("=", 1) for option in sys.argv[2:])}
    name = " ".join(["k-diffusion", sys.argv[1], *sys.argv[2:]])
    serve(adapted(sys.argv[1], **options), name=name, **DECLARED[sys.argv[1]])
