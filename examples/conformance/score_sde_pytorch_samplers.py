"""score_sde_pytorch's predictors and correctors, offered to the conformance kit.

    PYTHONPATH=score_sde_pytorch deno task conform --sde ve -- python3 score_sde_pytorch_samplers.py PREDICTOR CORRECTOR
        [OPTION=VALUE ...]

The predictors are euler_maruyama, reverse_diffusion, ancestral_sampling and none, the correctors langevin, ald and
none. Options are those of get_pc_sampler, as snr=0.16, n_steps=1, probability_flow=True or denoise=False; float=32
computes in float32 as the library does. The library takes N steps of 1/N from N levels between T and eps; with
denoise=True, its default, the result is the last step's mean, which it takes for data.
"""
import ast
import sys
import torch
import sampling
import sde_lib
from score_sde_conformance import serve


def library_sde(run):
    sde = run.sde
    if sde["kind"] == "ve":
        return sde_lib.VESDE(sde["sigmaMin"], sde["sigmaMax"], N=run.steps)
    if sde["kind"] in ("vp", "subvp"):
        kind = sde_lib.VPSDE if sde["kind"] == "vp" else sde_lib.subVPSDE
        return kind(sde["betaMin"], sde["betaMax"], N=run.steps)
    sys.exit(f"score_sde_pytorch has no SDE {sde['kind']}")


class Network(torch.nn.Module):
    """The run's model with the labels that the library gives to continuous models: 999 t under VP and sub-VP, sigma
    under VE. Under VP the network's output is the predicted noise, under VE the score."""

    def __init__(self, run):
        super().__init__()
        self.run, self.exploding = run, run.sde["kind"] == "ve"

    def forward(self, x, labels):
        if self.exploding:
            return self.run.model(x, "score", sigma=labels)
        return self.run.model(x, "noise", time=labels.double() / 999)


def adapted(predictor, corrector, denoise=True, snr=0.16, **options):
    def sampler(run):
        torch.randn = lambda *shape, **_: torch.tensor(run.randn(*shape), dtype=torch.get_default_dtype())
        torch.randn_like = run.randn_like
        sample = sampling.get_pc_sampler(
            library_sde(run), (*run.shape, 1, 1), sampling.get_predictor(predictor), sampling.get_corrector(corrector),
            lambda x: x, snr, continuous=True, denoise=denoise, eps=run.times[-1], device="cpu", **options)
        x, _ = sample(Network(run))
        return run.end(x, time=0) if denoise else x

    return sampler


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python3 score_sde_pytorch_samplers.py PREDICTOR CORRECTOR [OPTION=VALUE ...]")
    options = {key: ast.literal_eval(value) for key, value in (option.split("=", 1) for option in sys.argv[3:])}
    single = options.pop("float", 64) == 32
    torch.set_default_dtype(torch.float32 if single else torch.float64)
    flow = options.get("probability_flow", False)
    declares = {} if sys.argv[1] == "none" else dict(order=1, process="ode" if flow else "sde")
    serve(adapted(*sys.argv[1:3], **options), name=" ".join(["score_sde_pytorch", *sys.argv[1:]]), start="own",
          grid="own", precision="float32" if single else "float64", **declares)
