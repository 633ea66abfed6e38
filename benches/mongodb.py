"""initsweep beside PyMongoArrow and pymongo, on the same server and the same collection.

    $(tests/support/test-server) --port 27018 --cache-size 1G --storage-path FOLDER &
    python benches/mongodb.py --uri mongodb://localhost:27018/ --documents 4000000

Needs pymongo, pymongoarrow and pandas, and 5 GB in FOLDER. Each reader runs in a process of its own, in turn, several times; the table holds
the least of each column, and the ratios between those. Every reader ends with the mean loss of each level, and the means must agree. `client CPU` is the
user and system time of that process per document, start of the process included; `memory` its largest resident size.
The collection (database initsweep_bench) is made when it is not there or has another size, and dropped with --drop.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

DATABASE, LEVELS, BATCH = "initsweep_bench", 400, 10_000

READERS = {
    "pymongo into pandas, two fields": """
import pandas, pymongo
c = pymongo.MongoClient(URI)[DB].results
d = pandas.DataFrame(list(c.find({}, {"hidden_std_dev": 1, "loss": 1, "_id": 0})))
r = d.groupby("hidden_std_dev").loss.mean()
""",
    "pymongo into pandas, no projection": """
import pandas, pymongo
c = pymongo.MongoClient(URI)[DB].results
d = pandas.DataFrame(list(c.find({})))
r = d.groupby("hidden_std_dev").loss.mean()
""",
    "PyMongoArrow find_arrow_all, two fields": """
import pymongo, pyarrow
from pymongoarrow.api import Schema, find_arrow_all
c = pymongo.MongoClient(URI)[DB].results
s = Schema({"hidden_std_dev": pyarrow.float64(), "loss": pyarrow.float64()})
t = find_arrow_all(c, {}, schema=s)
r = t.group_by("hidden_std_dev").aggregate([("loss", "mean")]).to_pandas().set_index("hidden_std_dev").iloc[:, 0]
""",
}
SERVER = """
import pymongo
c = pymongo.MongoClient(URI)[DB].results
p = [{"$group": {"_id": "$hidden_std_dev", "mean": {"$avg": "$loss"}, "sd": {"$stdDevPop": "$loss"},
      "n": {"$sum": 1}, "min": {"$min": "$loss"}, "max": {"$max": "$loss"}}}]
import pandas
r = pandas.Series({d["_id"]: d["mean"] for d in c.aggregate(p)})
"""
END = """
import json
print(json.dumps({repr(float(k)): float(v) for k, v in r.items()}))
"""


def measured(command):
    """Wall time, CPU time, largest resident size (bytes) and output of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{command} ended with {status}"
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output


def fill(collection, count):
    levels = [2.718281828459045 ** (-3 + 7 * i / (LEVELS - 1)) for i in range(LEVELS)]
    random.seed(1)
    collection.drop()
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        rows = range(start, min(count, start + BATCH))
        documents = [
            {"hidden_std_dev": levels[i % LEVELS], "output_std_dev": 0.8165, "loss": random.expovariate(1 / 30)}
            for i in rows
        ]
        collection.insert_many(documents, ordered=False)
    return count / (time.perf_counter() - began)


def compare_writing(a, database):
    """The same runs, by our copy and by insert_many, in turn."""
    import pymongo

    folder = tempfile.TemporaryDirectory()
    runs = f"{folder.name}/runs.parquet"
    subprocess.run([a.binary, "sweep", "--quiet", "--to", runs, "--epochs", "5", "--runs", str(a.write // LEVELS)], check=True)
    copy = [a.binary, "copy", "--quiet", runs, "--to", a.uri, "--db", DATABASE, "--collection", "written"]
    best = {}

    def note(name, seconds, cpu):
        before = best.get(name, (seconds, cpu))
        best[name] = (min(before[0], seconds), min(before[1], cpu))

    for _ in range(a.repeat):
        database.written.drop()
        wall, cpu, *_ = measured(copy)
        note("initsweep copy, from Parquet; majority and journal", wall, cpu)
        documents = list(database.written.find({}))
        for majority in (False, True):
            concern = pymongo.WriteConcern(w="majority", j=True) if majority else pymongo.WriteConcern()
            target = database.get_collection("written_by_pymongo", write_concern=concern)
            target.drop()
            began, before = time.perf_counter(), time.process_time()
            for start in range(0, len(documents), BATCH):
                target.insert_many(documents[start:start + BATCH], ordered=False)
            name = f"pymongo insert_many, from memory{'; majority and journal' if majority else ''}"
            note(name, time.perf_counter() - began, time.process_time() - before)
            target.drop()
    database.written.drop()
    print(f"\n| writing {a.write:,} runs | documents/s | client CPU, µs/document |\n|---|--:|--:|")
    for name, (wall, cpu) in best.items():
        print(f"| {name} | {a.write / wall:,.0f} | {cpu / a.write * 1e6:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", default=os.environ.get("MONGODB_URI", "mongodb://localhost:27017/"))
    parser.add_argument("--documents", type=int, default=4_000_000)
    parser.add_argument("--repeat", type=int, default=2, help="rounds")
    parser.add_argument("--binary", default="target/release/initsweep")
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--write", type=int, default=200_000, help="documents of the comparison of writing")
    a = parser.parse_args()
    import pymongo

    client = pymongo.MongoClient(a.uri)
    database, n = client[DATABASE], a.documents
    if database.results.estimated_document_count() != n:
        print(f"pymongo inserted {fill(database.results, n):,.0f} documents/s", file=sys.stderr)

    ours = [a.binary, "stats", a.uri, "--db", DATABASE, "--format", "json", "--aggregate"]
    commands = {"initsweep stats": [*ours, "client"], "initsweep stats, the server adds up": [*ours, "server"]}
    for name, code in {**READERS, "pymongo, $group on the server": SERVER}.items():
        commands[name] = [sys.executable, "-W", "ignore", "-c", f"URI, DB = {a.uri!r}, {DATABASE!r}\n{code}{END}"]
    best, means = {}, {}
    for round in range(a.repeat):
        # In turn, and every other round backwards, so that none always comes after the same.
        for name, command in list(commands.items())[:: -1 if round % 2 else 1]:
            *figures, output = measured(command)
            best[name] = [min(pair) for pair in zip(best.get(name, figures), figures)]
            print(f"{name}: {figures}", file=sys.stderr)
            found = json.loads(output)
            if name.startswith("initsweep"):
                found = {repr(group["level"]): group["mean"] for group in found["groups"]}
            means[name] = found
    ours_wall, ours_cpu, _ = best["initsweep stats"]
    print(f"| {n:,} documents | s | documents/s | our speed to its | client CPU, µs/document | our CPU to its | memory, MB |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, (wall, cpu, memory) in best.items():
        speed, share = wall / ours_wall, ours_cpu / cpu
        print(f"| {name} | {wall:.2f} | {n / wall:,.0f} | {speed:.2f} | {cpu / n * 1e6:.2f} | {share:.2f} | {memory / 1e6:.0f} |")

    compare_writing(a, database)
    for name, found in means.items():
        reference = means["initsweep stats"]
        assert found.keys() == reference.keys(), name
        worst = max(abs(found[k] / reference[k] - 1) for k in reference)
        assert worst < 1e-12, (name, worst)
    if a.drop:
        client.drop_database(DATABASE)


if __name__ == "__main__":
    main()
