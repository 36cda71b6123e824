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


if __name__ == "__main__":
    print("REAB with the scale of the docstring, sqrt(alpha_s^2 + sigma_s^2):", orders(lambda n: reab(n, False)))
    print("REAB with the scale of azula's code, sqrt(alpha_s^2 + sigma_t^2):  ", orders(lambda n: reab(n, True)))
