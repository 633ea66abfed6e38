#!/usr/bin/env python3
"""The article's network and its competitors, side by side in one run: microseconds per training of 10,000 epochs and core.

    pip install numpy numba jax
    cargo build --release && python3 benches/baseline_numpy.py

- NumPy: the article's loop, written anew from its formulas, alone and in a ProcessPoolExecutor as the article runs it.
- Numba: the plain loop compiled, one network after the other, on all cores.
- JAX: `jit` of a `fori_loop` over epochs, `vmap` over the networks, float64.
- initsweep: `sweep` as a whole command, start, random numbers, file and all, per instruction set and on 1 and 2 threads.

All do the same work: 2-2-1, sigmoid, binary cross-entropy clipped at 1e-15, full batch of four patterns, output layer first.
Methods take turns; the table has the least and the median over the rounds. Each is checked against the others: the mean loss
of the same 64 starts must agree to 1e-9. A package that is not installed is named as such.
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

# One core per process, as when the article's pool runs; must be set before NumPy is loaded.
for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[variable] = "1"

import numpy as np

EPOCHS, RATE, CLIP = 10_000, 0.1, 1e-15
INPUTS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
TARGETS = np.array([[0.0], [1], [1], [0]])
CORES = os.cpu_count()


def starts(count, seed=1):
    """Initial parameters: standard deviations log-uniform over the article's range."""
    random = np.random.default_rng(seed)
    sigma = np.exp(random.uniform(-3, 4, (count, 1)))
    return random.standard_normal((count, 9)) * np.concatenate([np.repeat(sigma, 6, 1), np.full((count, 3), 0.8165)], 1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def train_numpy(p):
    w, b, v, c = p[:4].reshape(2, 2).copy(), p[4:6].reshape(1, 2).copy(), p[6:8].reshape(2, 1).copy(), p[8:].reshape(1, 1).copy()
    total = 0.0
    for _ in range(EPOCHS):
        hidden = sigmoid(np.dot(INPUTS, w) + b)
        predicted = sigmoid(np.dot(hidden, v) + c)
        clipped = np.clip(predicted, CLIP, 1 - CLIP)
        loss = -(TARGETS * np.log(clipped) + (1 - TARGETS) * np.log(1 - clipped))
        delta = predicted - TARGETS
        v -= hidden.T.dot(delta) * RATE
        c -= np.sum(delta, axis=0, keepdims=True) * RATE
        hidden_delta = delta.dot(v.T) * (hidden * (1 - hidden))
        w -= INPUTS.T.dot(hidden_delta) * RATE
        b -= np.sum(hidden_delta, axis=0, keepdims=True) * RATE
        total += np.mean(loss)
    return total


def numpy_alone(batch):
    # A saturated exponential overflows to infinity, which is what the sigmoid needs.
    with np.errstate(over="ignore"):
        return np.array([train_numpy(p) for p in batch])


def make_numpy_pool():
    # Fresh processes, not forks, because JAX has threads; started before the clock, as they serve a whole sweep.
    pool = ProcessPoolExecutor(CORES, mp_context=multiprocessing.get_context("spawn"))
    list(pool.map(numpy_alone, [starts(0)] * CORES))
    return lambda batch: np.concatenate(list(pool.map(numpy_alone, np.array_split(batch, CORES))))


def make_numba():
    import math

    import numba

    @numba.njit(parallel=True, fastmath=False)
    def train(batch, out):
        for i in numba.prange(batch.shape[0]):
            p = batch[i].copy()
            h, d = np.empty((4, 2)), np.empty(4)
            total = 0.0
            for _ in range(EPOCHS):
                loss = 0.0
                for k in range(4):
                    a, b = k // 2, k % 2
                    for j in range(2):
                        h[k, j] = 1 / (1 + math.exp(-(p[4 + j] + a * p[j] + b * p[2 + j])))
                    y = 1 / (1 + math.exp(-(p[8] + h[k, 0] * p[6] + h[k, 1] * p[7])))
                    target = a ^ b
                    clipped = min(max(y, CLIP), 1 - CLIP)
                    loss -= math.log(clipped) if target else math.log(1 - clipped)
                    d[k] = y - target
                total += loss / 4
                for j in range(2):
                    p[6 + j] -= RATE * (h[0, j] * d[0] + h[1, j] * d[1] + h[2, j] * d[2] + h[3, j] * d[3])
                p[8] -= RATE * (d[0] + d[1] + d[2] + d[3])
                for j in range(2):
                    e0 = d[0] * p[6 + j] * h[0, j] * (1 - h[0, j])
                    e1 = d[1] * p[6 + j] * h[1, j] * (1 - h[1, j])
                    e2 = d[2] * p[6 + j] * h[2, j] * (1 - h[2, j])
                    e3 = d[3] * p[6 + j] * h[3, j] * (1 - h[3, j])
                    p[j] -= RATE * (e2 + e3)
                    p[2 + j] -= RATE * (e1 + e3)
                    p[4 + j] -= RATE * (e0 + e1 + e2 + e3)
            out[i] = total

    def run(batch):
        out = np.empty(len(batch))
        train(batch, out)
        return out

    return run


def make_jax():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    inputs, targets = jnp.asarray(INPUTS), jnp.asarray(TARGETS[:, 0])

    def train(p):
        def epoch(_, state):
            w, b, v, c, total = state
            hidden = jax.nn.sigmoid(inputs @ w + b)
            predicted = jax.nn.sigmoid(hidden @ v + c)
            clipped = jnp.clip(predicted, CLIP, 1 - CLIP)
            loss = -(targets * jnp.log(clipped) + (1 - targets) * jnp.log(1 - clipped))
            delta = predicted - targets
            v = v - RATE * hidden.T @ delta
            c = c - RATE * delta.sum()
            hidden_delta = delta[:, None] * v[None, :] * hidden * (1 - hidden)
            return w - RATE * inputs.T @ hidden_delta, b - RATE * hidden_delta.sum(0), v, c, total + loss.mean()

        return jax.lax.fori_loop(0, EPOCHS, epoch, (p[:4].reshape(2, 2), p[4:6], p[6:8], p[8], 0.0))[4]

    compiled = jax.jit(jax.vmap(train))
    return lambda batch: np.asarray(compiled(batch))


def make_initsweep(binary, simd, threads):
    def run(count):
        with tempfile.TemporaryDirectory() as folder:
            command = [binary, "sweep", "--to", f"{folder}/runs.csv", "--runs", str(max(1, count // 400)), "--quiet",
                       "--simd", simd, "--threads", str(threads)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/initsweep")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    check = starts(64)
    expected = numpy_alone(check).mean()
    methods = {
        "NumPy, 1 process": (numpy_alone, starts(8), 1),
        f"NumPy, ProcessPoolExecutor of {CORES}": (make_numpy_pool(), starts(8 * CORES), CORES),
    }
    for name, make, count in [("Numba, all cores", make_numba, 2000), ("JAX jit + vmap, all cores", make_jax, 8192)]:
        try:
            method = make()
        except ImportError:
            print(f"{name}: not installed")
            continue
        found = method(check).mean()
        assert abs(found / expected - 1) < 1e-9, f"{name} does other work: {found} instead of {expected}"
        batch = starts(count)
        method(batch)  # compiles for this size
        methods[name] = (method, batch, CORES)
    sets = ["avx512", "avx2", "neon", "scalar"]
    for simd in sets:
        with tempfile.TemporaryDirectory() as folder:
            probe = [arguments.binary, "sweep", "--to", f"{folder}/x.csv", "--hidden-std-dev", "1", "--runs", "1", "--epochs", "1"]
            available = subprocess.run([*probe, "--simd", simd], capture_output=True).returncode == 0
        if available:
            for threads in [1, 2] if CORES > 1 else [1]:
                count = 400 * (25 if simd == "scalar" else 100 * threads)
                methods[f"initsweep sweep, {simd}, {threads} thread{'s' * (threads > 1)}"] = (
                    make_initsweep(arguments.binary, simd, threads), count, threads)

    samples = {name: [] for name in methods}
    for _ in range(arguments.rounds):
        for name, (method, work, cores) in methods.items():
            began = time.perf_counter()
            method(work)
            count = work if isinstance(work, int) else len(work)
            samples[name].append((time.perf_counter() - began) / count * cores * 1e6)
    base = statistics.median(samples["NumPy, 1 process"])
    print(f"\n{EPOCHS:,} epochs a training, {CORES} cores, {arguments.rounds} rounds in turn\n")
    print("| method | µs per training and core, least | median | times faster than NumPy |")
    print("|---|---:|---:|---:|")
    for name, times in samples.items():
        print(f"| {name} | {min(times):,.1f} | {statistics.median(times):,.1f} | {base / statistics.median(times):,.0f} |")


if __name__ == "__main__":
    main()
