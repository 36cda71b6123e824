"""Client of score-sde's conformance kit, protocol version 1: offers a sampler in Python to be measured.

Copy this file beside your sampler; it needs numpy alone. Write a function from a run to its final state,

    from score_sde_conformance import serve

    def sampler(run):
        x = run.start
        ...
        return x          # or run.end(x, time=0), or run.end(x, sigma=0.002): the noise level of what is returned

    serve(sampler, name="my sampler", order=1, process="sde")

and let the kit run it: `deno task conform -- python3 my_sampler.py`. A function in a file that should not
change is served with `python3 -m score_sde_conformance my_sampler:sampler`.
"""
import base64, importlib, json, os, sys, numpy as np


def serve(sampler, name=None, noise="given", start="given", grid="given", precision="float64", **declares):
    """Runs `sampler(run)` for each run that the kit opens, until the kit has seen enough.

    noise, start, grid: "given" if the sampler uses what the run has, "own" if it draws or chooses itself.
    precision: of the sampler's states, "float64" or "float32". declares: what the sampler claims of itself, to be
    judged: order=2, process="sde" or "ode", evaluations_per_step=1, sampler="ddim"; what is left out is measured
    and not judged. What the sampler or its libraries print goes to stderr.
    """
    if "evaluations_per_step" in declares:
        declares["evaluationsPerStep"] = declares.pop("evaluations_per_step")
    connection = _Connection()
    connection.send(type="hello", protocol=1, name=name or sampler.__name__, noise=noise, start=start, grid=grid,
                    precision=precision, declares=declares)
    while (message := connection.receive("run", "end"))["type"] == "run":
        run = Run(message, connection, noise)
        end = sampler(run)
        connection.send(type="done", **(end if isinstance(end, dict) else run.end(end)))


class Run:
    """One run. All states have shape [rows, dimension]; a state of another shape with as many numbers is reshaped,
    and what is asked with a PyTorch tensor is answered with one of the same dtype and device.

    steps: number of steps N. times, alphas, sigmas, ratios, drifts, diffusions: N + 1 numbers each, from the noisiest
    level down, for x = alpha x0 + sigma noise and dx = drift x dt + diffusion dw; ratios = sigmas / alphas is the
    sigma of k-diffusion and EDM. start: the state at the first level, None if the sampler draws its own. seed: of
    whatever the sampler draws itself. sde: the parameters of the SDE, a dict.
    """

    def __init__(self, message, connection, noise):
        self._connection = connection
        self.steps, self.seed, self.sde = message["steps"], message["seed"], message["sde"]
        self.shape = tuple(message["shape"])
        for field in ("times", "alphas", "sigmas", "drifts", "diffusions"):
            setattr(self, field, _decode(message[field]))
        self.ratios = self.sigmas / self.alphas
        self.start = None if message["start"] is None else _decode(message["start"])
        self._random = np.random.default_rng(self.seed) if noise == "own" else None

    def model(self, x, answer, **level):
        """The exact model's answer at time=t, or at sigma=s and alpha=a (1 if left out) of x = a x0 + s noise.
        answer: "noise", "denoised", "score" or "velocity". A level may be an array of equal numbers, one a row."""
        return _like(x, self._connection.ask("answer", type="model", answer=answer, **self.end(x, "x", **level)))

    def noise_prediction(self, x, t):
        return self.model(x, "noise", time=t)

    def score(self, x, t):
        return self.model(x, "score", time=t)

    def denoised(self, x, sigma, alpha=1.0):
        """E[x0 | x] for x = alpha x0 + sigma noise, as k-diffusion and EDM call their models."""
        return self.model(x, "denoised", sigma=sigma, alpha=alpha)

    def model_time(self, answer="noise"):
        """The model as a function of (x, t); more arguments are ignored."""
        return lambda x, t, *_, **__: self.model(x, answer, time=t)

    def model_sigma(self, answer="denoised"):
        """The model as a function of (x, sigma) for x = x0 + sigma noise; more arguments are ignored."""
        return lambda x, sigma, *_, **__: self.model(x, answer, sigma=sigma)

    def randn(self, *shape, **_):
        """Standard normal numbers as a numpy array; the shape is the run's if left out, as numbers or as a tuple."""
        own = self._random
        value = own.standard_normal(self.shape) if own else self._connection.ask("noise", type="noise")
        return value.reshape(*shape) if shape else value

    def randn_like(self, x, **_):
        return _like(x, self.randn())

    def end(self, x, field="state", **level):
        """What a sampler returns if its last state is not at the grid's last level: run.end(x, time=0)."""
        array = _numpy(x)
        if array.size != np.prod(self.shape):
            raise ValueError(f"a state of this run has shape {self.shape}, got {array.shape}")
        return {field: _encode(array.reshape(self.shape)), **{key: _one(key, value) for key, value in level.items()}}


class _Connection:
    """The kit's end of stdin and stdout; takes stdout away from everybody else."""
    def __init__(self):
        self._output = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def send(self, **message):
        self._output.write(json.dumps(message).encode() + b"\n")
        self._output.flush()

    def receive(self, *types):
        message = json.loads(sys.stdin.buffer.readline() or '{"type": "end"}')
        if message["type"] not in types:
            sys.exit(f"the kit sent {str(message)[:300]}, expected {' or '.join(types)}")
        return message

    def ask(self, reply, **message):
        self.send(**message)
        return _decode(self.receive(reply)["value"])


def _numpy(x):
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def _like(x, array):
    return (x.new_tensor(array) if hasattr(x, "new_tensor") else array).reshape(np.shape(x))


def _one(name, value):
    if (high := np.max(_numpy(value))) - (low := np.min(_numpy(value))) > 1e-6 * abs(high):
        raise ValueError(f"{name} must be the same for all rows, got {low} to {high}")
    return float(high)


def _encode(array):
    array = array.astype("<f8" if array.dtype.itemsize > 4 else "<f4")
    return {"shape": array.shape, "dtype": array.dtype.name, "data": base64.b64encode(array.tobytes()).decode()}


def _decode(value):
    array = np.frombuffer(base64.b64decode(value["data"]), "<f8" if value["dtype"] == "float64" else "<f4")
    return array.reshape(value["shape"]).copy()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit("usage: python3 -m score_sde_conformance MODULE:FUNCTION")
    path = sys.argv[1].split(":")
    serve(getattr(importlib.import_module(path[0]), path[1]))
