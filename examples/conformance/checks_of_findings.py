"""Second computations of what docs/conformance_of_libraries.md finds: algorithms from papers in plain numpy, on one
Gaussian, without the libraries and without the kit. `python3 checks_of_findings.py` prints a line a finding."""
import numpy as np

MEAN, DEVIATION = 0.5, 2.0


def levels(steps):
    """alpha and sigma of VP with beta from 0.1 to 20, equal steps in ln(sigma / alpha) from time 1 to 0.001."""
    alpha = lambda t: np.exp(-0.25 * t**2 * 19.9 - 0.05 * t)
    ends = [np.sqrt(1 / alpha(t) ** 2 - 1) for t in (1.0, 1e-3)]
    ratios = np.exp(np.linspace(*np.log(ends), steps + 1))
    return 1 / np.sqrt(1 + ratios**2), ratios / np.sqrt(1 + ratios**2)


def denoised(x, alpha, sigma):
    gain = alpha * DEVIATION**2 / (alpha**2 * DEVIATION**2 + sigma**2)
    return MEAN + gain * (x - alpha * MEAN)


def flow(start, alpha, sigma):
    """Where the probability flow takes a start: standard scores are kept."""
    spread = lambda n: np.sqrt(alpha[n] ** 2 * DEVIATION**2 + sigma[n] ** 2)
    return alpha[-1] * MEAN + spread(-1) / spread(0) * (start - alpha[0] * MEAN)


def reab(steps, faulty):
    """The two-step exponential Rosenbrock-Adams-Bashforth method of azula's REABSampler, from its docstring."""
    alpha, sigma = levels(steps)
    u = np.log(sigma / alpha)
    x = start = 1.0
    before = None
    for n in range(steps):
        a = sigma[n] ** 2 / (alpha[n] ** 2 + sigma[n] ** 2)
        f = ((1 - a) * x / alpha[n] - denoised(x, alpha[n], sigma[n])) / np.sqrt(a)
        nodes, weights = np.polynomial.legendre.leggauss(12)
        v = u[n] + (nodes + 1) / 2 * (u[n + 1] - u[n])
        line = f if before is None else f + (v - u[n]) * (f - before) / (u[n] - u[n - 1])
        integral = np.sum(weights * line * np.exp(v) / (1 + np.exp(2 * v))) * (u[n + 1] - u[n]) / 2
        total = lambda k: np.sqrt(alpha[n + 1] ** 2 + sigma[k] ** 2)
        scale = total(n + 1) / np.sqrt(alpha[n] ** 2 + sigma[n] ** 2)
        x, before = scale * x + total(n if faulty else n + 1) * integral, f
    return abs(x - flow(start, alpha, sigma))


def orders(error):
    """Errors at 64, 128 and 256 steps, and the order between the last two."""
    errors = [error(steps) for steps in (64, 128, 256)]
    return f"{', '.join(f'{value:.3e}' for value in errors)}: order {np.log2(errors[1] / errors[2]):.2f}"


BETAS = np.linspace(1e-4, 0.02, 1000)
ALPHA_BAR = np.concatenate([np.cumprod(1 - BETAS), [1.0]])  # index -1 is the data


def marginal(index):
    """Mean and variance of DDPM's state at an index of 0 ... 999, or -1 for the data."""
    return np.sqrt(ALPHA_BAR[index]) * MEAN, ALPHA_BAR[index] * DEVIATION**2 + 1 - ALPHA_BAR[index]


def diffused(mean, variance, indices):
    """The law of a state after DDPM's forward steps at the given indices."""
    for index in indices:
        mean, variance = np.sqrt(1 - BETAS[index]) * mean, (1 - BETAS[index]) * variance + BETAS[index]
    return mean, variance


def repaint(index, stride, shift):
    """The law after RePaint's way back over one stride to `index`, with the betas of `shift` steps later."""
    start = index - stride
    return diffused(*marginal(start), range(start + 1 + shift, index + 1 + shift))


def ddim(evaluations, to_visited):
    """Mean and standard deviation of DDIM's samples at diffusers' linspace timesteps, eta = 0, with the exact model."""
    times = np.linspace(0, 999, evaluations).round()[::-1].astype(int)
    law = marginal(times[0])
    for k, time in enumerate(times):
        following = times[k + 1] if k + 1 < evaluations else -1
        previous = following if to_visited else max(time - 1000 // evaluations, -1)
        # The model is exact at the time that it is told: data = MEAN + gain (x - mean there).
        (there, spread), (a, b) = marginal(time), np.sqrt(ALPHA_BAR[[time, previous]])
        gain = a * DEVIATION**2 / spread
        noise = np.sqrt((1 - b**2) / (1 - a**2))
        data = lambda x: MEAN + gain * (x - there)
        step = lambda x: b * data(x) + noise * (x - a * data(x))
        slope = step(1.0) - step(0.0)
        law = step(law[0]), slope**2 * law[1]
    return law[0], np.sqrt(law[1])


def adaptive(keeps, tolerance, dimension, rows, seed=1):
    """The variance of the adaptive solver's samples of N(0, I) under VP, where every marginal is N(0, I), and its standard
    error (Jolicoeur-Martineau et al. 2021, Alg. 1). A rejected step's noise is kept for the shorter steps that follow, divided
    by Brownian bridges, or drawn anew."""
    rng = np.random.default_rng(seed)
    beta = lambda t: 0.1 + 19.9 * t
    ends = np.empty((rows, dimension))
    for row in range(rows):
        x = previous = rng.standard_normal(dimension)
        t, h, ahead = 1.0, 0.01, []
        while t > 1e-3:
            h = min([h, t - 1e-3] + [length for length, _ in ahead[-1:]])
            length, whole = ahead.pop() if ahead else (h, np.sqrt(h) * rng.standard_normal(dimension))
            increment = h / length * whole + np.sqrt(h * (1 - h / length)) * rng.standard_normal(dimension)
            if h < length:
                ahead.append((length - h, whole - increment))
            change = lambda at, time: -0.5 * beta(time) * at * h + np.sqrt(beta(time)) * increment
            near = x + change(x, t)
            better = (near + x + change(near, t - h)) / 2
            allowed = np.maximum(tolerance / 10, tolerance * np.maximum(abs(near), abs(previous)))
            error = max(np.sqrt(np.mean(((near - better) / allowed) ** 2)), 1e-9)
            if error <= 1:
                x, previous, t = better, near, t - h
            elif keeps:
                ahead.append((h, increment))
            h = 0.9 * h * error**-0.9
        ends[row] = x
    return f"{ends.var():.3f} +- {np.sqrt(2 / ends.size):.3f}"


def leaves_smallest_noise(steps, data=0.01, smallest=0.01, largest=50.0):
    """Variance over the data's after Euler-Maruyama under VE with steps of 1/N, and after the reverse-diffusion step
    from sigma_i to sigma_(i-1), with 0 for the last: the last step without noise, and data N(0.7, data^2)."""
    times = np.linspace(1, 1e-5, steps)
    sigmas = smallest * (largest / smallest) ** times
    euler = reverse = data**2 + largest**2
    for n, sigma in enumerate(sigmas):
        exact = data**2 + sigma**2
        moved = 2 * np.log(largest / smallest) * sigma**2 / steps
        discrete = sigma**2 - (sigmas[n + 1] ** 2 if n + 1 < steps else 0)
        last = n + 1 == steps
        euler = (1 - moved / exact) ** 2 * euler + (0 if last else moved)
        reverse = (1 - discrete / exact) ** 2 * reverse + (0 if last else discrete)
    return euler / data**2, reverse / data**2


def adaptive_states(starts, largest=80.0, smallest=0.002, rtol=0.05, atol=0.0078):
    """DPM-Solver-12 with the adaptive steps of Lu et al. 2022, App. C, on N(0.5, 4), the error's norm over all starts."""
    noise = lambda x, sigma: sigma * (x - MEAN) / (DEVIATION**2 + sigma**2)
    x, before = np.array(starts), np.array(starts)
    at, end, h = -np.log(largest), -np.log(smallest), 0.05
    while at < end - 1e-5:
        to = min(end, at + h)
        step, middle = to - at, (at + to) / 2
        slope = noise(x, np.exp(-at))
        half = x - np.exp(-middle) * np.expm1(step / 2) * slope
        low = x - np.exp(-to) * np.expm1(step) * slope
        high = x - np.exp(-to) * np.expm1(step) * noise(half, np.exp(-middle))
        error = np.sqrt(np.mean(((low - high) / np.maximum(atol, rtol * np.maximum(abs(low), abs(before)))) ** 2))
        if error <= 1:
            x, before, at = high, low, to
        h = min(0.9 * step * (error + 1e-12) ** -0.5, end - at)
    return x


def discrete_betas(steps, beta_min=0.1, beta_max=20.0):
    """sqrt(1 - beta_i) of Song et al. 2021, eq. 11, with beta_i = beta(i/N)/N: NaN where a beta is above 1."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(1 - np.linspace(beta_min, beta_max, steps) / steps)


if __name__ == "__main__":
    print("REAB with the scale of the docstring, sqrt(alpha_s^2 + sigma_s^2):", orders(lambda n: reab(n, False)))
    print("REAB with the scale of azula's code, sqrt(alpha_s^2 + sigma_t^2):  ", orders(lambda n: reab(n, True)))
    law = lambda pair: f"N({pair[0]:.3f}, {pair[1]:.3f})"
    print("RePaint's way back from index 100 to 200, exact marginal:   ", law(marginal(200)))
    print("  with the betas of indices 101 to 200:                     ", law(repaint(200, 100, 0)))
    print("  with those of 200 to 299, as diffusers' undo_step:        ", law(repaint(200, 100, 99)))
    for evaluations in (10, 20, 50):
        for to_visited, words in ((True, "to the next visited time:  "), (False, "by 1000 // n, as diffusers:")):
            mean, deviation = ddim(evaluations, to_visited)
            print(f"DDIM at {evaluations} linspace timesteps, {words} mean {mean:.3f}, deviation {deviation:.3f}")
    print(f"  the data: mean {MEAN:.3f}, deviation {DEVIATION:.3f}")
    for dimension, rows in ((1, 2000), (16, 200), (256, 20)):
        for keeps, words in ((True, "kept:      "), (False, "drawn anew:")):
            print(f"adaptive SDE solver, {dimension} numbers, rejected noise {words} variance", adaptive(keeps, 0.05, dimension, rows))


    for steps in (1000, 10_000):
        euler, reverse = leaves_smallest_noise(steps)
        print(f"VE with sigma_min = 0.01 on N(0.7, 0.01^2), {steps} steps: the variance is {euler:.3f} times the exact one "
              f"after Euler-Maruyama, {reverse:.3f} times after reverse diffusion")
    alone, beside = adaptive_states([1.0]), adaptive_states([1.0, 300.0])
    print(f"DPM-Solver-12 with the error's norm over a batch: a row ends at {alone[0]:.6f} alone and at {beside[0]:.6f} "
          f"beside another, {abs(beside[0] / alone[0] - 1):.1e} of its size apart")
    for steps in (16, 20, 21):
        print(f"VP with beta_max = 20 in {steps} steps: {np.isnan(discrete_betas(steps)).sum()} of sqrt(1 - beta) are NaN")
