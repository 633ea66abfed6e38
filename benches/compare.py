#!/usr/bin/env python3
"""Whole commands, side by side: `initsweep stats` and `initsweep report` beside what one would write by hand.

    pip install numpy pandas pyarrow polars duckdb
    cargo build --release && python3 benches/compare.py

Every tool reads the same 4 million runs (400 levels x 10,000, shuffled) and gives per level n, mean, standard deviation,
median, quartiles, minimum and maximum. The tools take turns, so that a slow moment of the machine hits all of them; the
table has the median of the rounds, the peak memory of the process, and the ratio to initsweep. A tool that is not
installed is named as such.
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time

PANDAS = """
import pandas as pd, sys
path = sys.argv[1]
df = pd.read_csv(path) if path.endswith('csv') else pd.read_parquet(path, columns=['hidden_std_dev', 'loss'])
loss = df.groupby('hidden_std_dev')['loss']
table = loss.agg(['count', 'mean', 'std', 'min', 'max']).join(loss.quantile([.25, .5, .75]).unstack())
print(table.to_json())
"""
POLARS = """
import polars as pl, sys
path = sys.argv[1]
scan = pl.scan_csv(path) if path.endswith('csv') else pl.scan_parquet(path)
l = pl.col('loss')
table = scan.group_by('hidden_std_dev').agg(n=l.len(), mean=l.mean(), std=l.std(), min=l.min(), max=l.max(),
    q25=l.quantile(.25, 'linear'), median=l.median(), q75=l.quantile(.75, 'linear')).sort('hidden_std_dev').collect()
print(table.write_json())
"""
DUCKDB = """
import duckdb, sys
print(duckdb.sql(f\"\"\"select hidden_std_dev, count(*), avg(loss), stddev_samp(loss), min(loss), max(loss),
    quantile_cont(loss, [.25, .5, .75]) from '{sys.argv[1]}' group by 1 order by 1\"\"\").fetchall())
"""


def measure(command):
    """Wall seconds, processor seconds and peak MB of one run; nothing if it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def generate(folder, runs):
    """400 levels of the article, two-peaked losses as in the real data."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(1)
    level = np.repeat(np.exp(np.linspace(-3, 4, 400)), runs)
    stuck = random.random(level.size) < 0.2
    loss = np.where(stuck, 3466.0, 600.0 + 100 * np.log(level / 0.6) ** 2) * (1 + 0.1 * random.standard_normal(level.size))
    order = random.permutation(level.size)
    table = pa.table({"hidden_std_dev": level[order], "output_std_dev": np.full(level.size, 0.8165), "loss": loss[order]})
    pyarrow.csv.write_csv(table, f"{folder}/runs.csv")
    pyarrow.parquet.write_table(table, f"{folder}/runs.parquet")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/initsweep")
    parser.add_argument("--runs", type=int, default=10_000, help="runs per level")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: a child's peak memory counts that of its parent at the fork.
        maker = multiprocessing.Process(target=generate, args=(folder, arguments.runs))
        maker.start()
        maker.join()
        for ending in ["csv", "parquet"]:
            path = f"{folder}/runs.{ending}"
            commands = {
                "initsweep stats": [arguments.binary, "stats", path, "--format", "json"],
                "initsweep report": [arguments.binary, "report", path, "--out", f"{folder}/out"],
                "pandas": [sys.executable, "-c", PANDAS, path],
                "polars (Python)": [sys.executable, "-c", POLARS, path],
                "DuckDB (Python)": [sys.executable, "-c", DUCKDB, path],
            }
            samples = {name: [] for name in commands}
            for _ in range(arguments.rounds + 1):
                for name, command in commands.items():
                    samples[name].append(measure(command))
            print(f"\n{400 * arguments.runs:,} rows of {ending.upper()}, {os.path.getsize(path) / 1e6:.0f} MB, "
                  f"{os.cpu_count()} cores, median of {arguments.rounds} rounds after one to warm up\n")
            print("| tool | wall s | CPU s | peak MB | wall, times initsweep stats |")
            print("|---|---:|---:|---:|---:|")
            base = None
            for name, rounds in samples.items():
                kept = [r for r in rounds[1:] if r]
                if not kept:
                    print(f"| {name} | not installed | | | |")
                    continue
                wall, cpu, memory = (statistics.median(column) for column in zip(*kept))
                base = base or wall
                print(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {wall / base:.2f} |")


if __name__ == "__main__":
    main()
