"""Times the PyTorch network on request, so that bench.ts can interleave it with its own measurements.

Usage: bench.py CONFIG BATCH TUTORIAL COUNT STEPS MODE, with the configs of the network and of the tutorial's as JSON; MODE
is `pytorch`, operation by operation, or `torch-compile`, where torch.compile has made kernels of the network and of the
loss, which needs a C++ compiler. Prints one line of JSON about itself, then answers each line on stdin: `forward`, `step` or `digits` with the milliseconds that one
such call took, `memory` with the most bytes that the process held. A step is what training does: noise, forward, loss,
backward, clipping, Adam, averaging of the weights. The digits are COUNT samples of the tutorial's network by its
Euler-Maruyama of STEPS steps.
"""

import json
import math
import resource
import sys
import time

import torch
from torch.nn import functional as F

from score_sde_torch import networks

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Bench:
    def __init__(self, config, batch, memory_format, compiled):
        torch.manual_seed(1)
        self.network = networks.build(config).to(DEVICE, memory_format=memory_format)
        self.parameters = list(self.network.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.Adam(self.parameters, lr=2e-3, betas=(0.9, 0.99), fused=True)
        height, width, channels = config.get("height", 28), config.get("width", 28), config.get("channels", 1)
        self.images = torch.rand(batch, height, width, channels, device=DEVICE) * 2 - 1
        self.features = torch.randn(batch, config.get("noiseFeatures", config["embedding"]), device=DEVICE)
        self.classes = None
        if config.get("classes"):
            labels = torch.randint(config["classes"] + 1, (batch,), device=DEVICE)
            self.classes = F.one_hot(labels, config["classes"] + 1).float()
        self.output = torch.compile(self.network) if compiled else self.network
        self.loss = torch.compile(self.denoising_loss) if compiled else self.denoising_loss

    def forward(self):
        with torch.inference_mode():
            return self.output(self.images, self.features, self.classes)

    def denoising_loss(self):
        ratio = torch.exp(torch.randn(len(self.images), 1, 1, 1, device=DEVICE) * 1.2 - 1)
        noise = torch.randn_like(self.images)
        scale = 1 / torch.sqrt(ratio**2 + 0.25)
        target = scale * (ratio * self.images / 0.5 - 0.5 * noise)
        output = self.network(scale * (self.images + ratio * noise), self.features, self.classes)
        return F.mse_loss(output, target)

    def step(self):
        loss = self.loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1e-3)
        return loss

    def time(self, action):
        return timed(getattr(self, action))


class Digits:
    """The tutorial's sampler: the reverse of dx = sigma^t dw from time 1 to 1e-3."""

    def __init__(self, config, count, steps, compiled):
        network = networks.build(config).to(DEVICE).eval()
        self.network = torch.compile(network) if compiled else network
        self.frequencies = torch.randn(config["embedding"] // 2, device=DEVICE) * config["frequencyScale"] * 2 * math.pi
        self.sigma, self.count, self.steps = config["sigma"], count, steps

    def std(self, t):
        return math.sqrt((self.sigma ** (2 * t) - 1) / (2 * math.log(self.sigma)))

    @torch.inference_mode()
    def draw(self):
        x = torch.randn(self.count, 28, 28, 1, device=DEVICE) * self.std(1.0)
        times = torch.linspace(1, 1e-3, self.steps).tolist()
        h = (1 - 1e-3) / max(1, self.steps - 1)
        for t in times:
            phase = (t * self.frequencies).expand(self.count, -1)
            score = -self.network(x, torch.cat([phase.cos(), phase.sin()], 1)) / self.std(t)
            g = self.sigma**t
            mean = x + g**2 * score * h
            x = mean + math.sqrt(h) * g * torch.randn_like(x)
        return mean.clamp(0, 1).cpu()


def timed(call):
    started = time.perf_counter()
    call()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - started)


def main(config, batch, tutorial, count, steps, mode):
    compiled = mode == "torch-compile"
    # Which memory layout is faster depends on network and machine: each action gets its better one.
    layouts = {
        name: Bench(config, batch, layout, compiled)
        for name, layout in (("contiguous", torch.contiguous_format), ("channels last", torch.channels_last))
    }
    chosen = {}
    for action in ("forward", "step"):
        try:
            best = {name: min(bench.time(action) for _ in range(4)) for name, bench in layouts.items()}
        except Exception as error:
            if not compiled:
                raise
            # The rest of such an error is advice to those who write compilers.
            sys.exit(f"torch.compile failed: {str(error).splitlines()[0]}")
        chosen[action] = min(best, key=best.get)
    about = {
        "name": f"{'torch.compile' if compiled else 'PyTorch'} {torch.__version__}",
        "device": torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in layouts["contiguous"].parameters),
        "layouts": chosen,
    }
    print(json.dumps(about), flush=True)
    digits = None
    for line in sys.stdin:
        action = line.strip()
        if action == "memory":
            unit = 1 if sys.platform == "darwin" else 1024
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        elif action == "digits":
            if digits is None:
                digits = Digits(tutorial, count, steps, compiled)
                # This project's first round is not counted either; a few steps warm up as well as all of them.
                digits.steps = min(steps, 5)
                answer = timed(digits.draw)
                digits.steps = steps
            else:
                answer = timed(digits.draw)
        else:
            answer = layouts[chosen[action]].time(action)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), *map(int, sys.argv[4:6]), sys.argv[6])
