"""How long after new runs appear is the new report on disk? `initsweep watch` on 4 million runs, 10,000 more at a time.

    python3 benches/watch.py [INITSWEEP]                 a folder of 40 Parquet files
    python3 benches/watch.py [INITSWEEP] mongodb://…     a collection, which is filled first

Needs numpy and pyarrow (and pymongo for a collection). Prints the wall time of each update, from the moment the file appears (or the
insertion is acknowledged) until report.html, which is written last, is replaced; and the processor time of the watching process for it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FILES, RUNS_EACH, MORE, UPDATES = 40, 100_000, 10_000, 7
LEVELS = np.exp(np.linspace(-3, 4, 400))
rng = np.random.default_rng(1)


def runs(count):
    level = rng.choice(LEVELS, count)
    return level, 1500 + 300 * np.log(level / 0.6) ** 2 + rng.normal(0, 800, count)


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def folder_source(place):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (place / "runs").mkdir()

    def write(name, count):
        level, loss = runs(count)
        pq.write_table(pa.table({"hidden_std_dev": level, "loss": loss}), place / "hidden")
        return lambda: os.rename(place / "hidden", place / "runs" / f"{name}.parquet")

    for file in range(FILES):
        write(f"a{file:03}", RUNS_EACH)()
    return "runs", lambda update: write(f"b{update}", MORE)


def collection_source(uri):
    import pymongo

    collection = pymongo.MongoClient(uri)["initsweep_bench"]["results"]
    collection.drop()

    def documents(count):
        return [{"hidden_std_dev": x, "loss": y} for x, y in zip(*(side.tolist() for side in runs(count)))]

    for _ in range(FILES):
        collection.insert_many(documents(RUNS_EACH))

    def prepare(_):
        more = documents(MORE)
        return lambda: collection.insert_many(more)

    return uri, prepare


def main():
    program = str(Path(sys.argv[1] if len(sys.argv) > 1 else "target/release/initsweep").resolve())
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        uri = sys.argv[2] if len(sys.argv) > 2 else None
        source, prepare = collection_source(uri) if uri else folder_source(place)
        more = ["--db", "initsweep_bench"] if uri else []
        watching = subprocess.Popen([program, "watch", source, "--out", "live", *more], cwd=place, stdout=subprocess.PIPE, text=True)
        print(watching.stdout.readline().strip())
        report = place / "live/report.html"
        walls, processors = [], []
        for update in range(UPDATES):
            appear = prepare(update)
            time.sleep(1)
            before, cpu = report.stat().st_mtime_ns, processor_seconds(watching.pid)
            appear()
            began = time.perf_counter()
            while report.stat().st_mtime_ns == before:
                time.sleep(0.002)
            walls.append(time.perf_counter() - began)
            print(watching.stdout.readline().strip())
            processors.append(processor_seconds(watching.pid) - cpu)
        watching.terminate()
        print(f"wall: least {min(walls):.3f} s, median {statistics.median(walls):.3f} s, most {max(walls):.3f} s")
        print(f"processor: median {statistics.median(processors):.2f} s")


main()
