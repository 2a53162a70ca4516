"""`s3`: upserts and large objects on a real local server of S3, beside boto3, delta-rs and a bare copy."""
import json
import os
import re
import signal
import socket
import sys
import time
import urllib.parse

from report import at_most, publish, seconds, table
from workshop import TABLE_OPTIONS, build, counted, here, middle

ROWS = 2_000_000
BATCHES = ["newest", "tiny"]
DELAY = 0.03
LARGE = 120_000_000
# Shares of the touched files' bytes that go each way, of *newest*.
DOWN, UP = 0.25, 0.35
FLOOR_BOUND, DELTA_BOUND, OBJECT_BOUND, TRIPS_BOUND, MEMORY_BOUND = 1.35, 0.5, 1.1, 14, 150
# Requests of an upsert, of each file group that it touches, and of each part that the server copies.
BASE, GROUP = 20, 12
BUCKET, LOADED, COPY = "benchmarks", "loaded/", "copy/"


class Traffic:
    """What a proxy saw of one process."""

    def __init__(self, lines):
        requests = [json.loads(line) for line in lines]
        self.requests = len(requests)
        self.down = sum(request["down"] for request in requests)
        self.up = sum(request["up"] for request in requests)
        self.trips = chain([(request["begin"], request["end"]) for request in requests])
        self.copies = [
            part(request) for request in requests
            if request["source"] and "partNumber" in request["path"] and request["status"] == 200
        ]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def chain(spans):
    """How many of these spans of time come one after the other, at most."""
    count, last = 0, float("-inf")
    for begin, end in sorted(spans, key=lambda span: span[1]):
        if begin >= last:
            count, last = count + 1, end
    return count


def part(request):
    """The key and the range that a part was copied from."""
    begin, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", request["range"]).groups())
    key = urllib.parse.unquote(request["source"]).lstrip("/").split("/", 1)[1]
    return key, begin, end + 1


class Store:
    """The server, and what is done there beside Tarn."""

    def __init__(self, workshop):
        self.workshop, self.endpoint = workshop, os.environ["TARN_S3_ENDPOINT"]
        os.environ.update(
            AWS_ENDPOINT_URL_S3=self.endpoint, AWS_ACCESS_KEY_ID=os.environ["TARN_S3_ACCESS_KEY"],
            AWS_SECRET_ACCESS_KEY=os.environ["TARN_S3_SECRET_KEY"], AWS_REGION="us-east-1",
            AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true")
        self.proxy = free_port()
        self.run("bucket")

    def retell(self, prefix):
        """Lets a table's head say of the proxy what was tried of the server, as for all but the first process."""
        server = urllib.parse.urlsplit(self.endpoint).netloc
        self.run("retell", prefix + ".hoodie/tarn/head", server, f"127.0.0.1:{self.proxy}")

    def run(self, task, *arguments):
        return self.workshop.operation("objects.py", task, *map(str, arguments))

    def sizes(self, prefix):
        """The base files under a prefix, and their sizes."""
        self.workshop.script("objects.py", "sizes", prefix, self.workshop.answer)
        with open(self.workshop.answer, encoding="utf-8") as file:
            found = json.load(file)
        return {
            key[len(prefix) :]: size for key, size in found.items()
            if key.endswith(".parquet") and "/.hoodie/" not in key
        }

    def watched(self, work, delay):
        """Does the work through a proxy, and gives what it saw."""
        log, ready = (os.path.join(self.workshop.tables, name) for name in ("requests", "ready"))
        for path in (log, ready):
            if os.path.exists(path):
                os.remove(path)
        place = urllib.parse.urlsplit(self.endpoint)
        words = [
            sys.executable, os.path.join(here, "delaying.py"), place.hostname, str(place.port), str(self.proxy),
            str(delay), log, ready,
        ]
        proxy = os.posix_spawn(words[0], words, os.environ)
        try:
            while not os.path.exists(ready):
                time.sleep(0.01)
            os.environ["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{self.proxy}"
            usage = work()
        finally:
            os.environ["AWS_ENDPOINT_URL_S3"] = self.endpoint
            os.kill(proxy, signal.SIGTERM)
            os.waitpid(proxy, 0)
        with open(log, encoding="utf-8") as file:
            return usage, Traffic(file)


class Upserts:
    """What the upserts of one batch took."""

    def __init__(self, store, batch, folder, runs):
        self.store, self.batch = store, os.path.join(folder, batch + ".parquet")
        self.expected = os.path.join(folder, batch + ".json")
        tarn, delta, floor = [], [], []
        before = store.sizes(LOADED)
        # The first one is watched, which tells what a bare copy would copy.
        self.fresh()
        store.retell(COPY)
        _, self.traffic = store.watched(self.upsert, 0)
        self.check()
        after = store.sizes(COPY)
        self.touched = touched(before, after)
        self.bytes = sum(before[path] for path in self.touched)
        plan = os.path.join(store.workshop.tables, "plan.json")
        with open(plan, "w", encoding="utf-8") as file:
            json.dump(untouched(before, self.touched, self.traffic), file)
        for _ in range(runs):
            self.fresh()
            tarn.append(self.upsert())
            store.run("replace", "delta/", "delta-copy/")
            delta.append(store.run("delta-upsert", f"s3://{BUCKET}/delta-copy", self.batch))
            floor.append(store.run("floor", plan))
            print(f"  {batch}: Tarn {seconds(tarn[-1].seconds)}, {tarn[-1].megabytes:.0f} MB; deltalake "
                  f"{seconds(delta[-1].seconds)}; copy {seconds(floor[-1].seconds)}", flush=True)
        self.fresh()
        store.retell(COPY)
        self.delayed, self.slow = store.watched(self.upsert, DELAY)
        self.check()
        self.tarn, self.delta, self.floor = middle(tarn), middle(delta), middle(floor)
        self.memory = max(usage.megabytes for usage in tarn)

    def fresh(self):
        self.store.run("replace", LOADED, COPY)

    def upsert(self):
        return self.store.workshop.upsert_tarn(f"s3://{BUCKET}/{COPY[:-1]}", self.batch)

    def check(self):
        """Fails unless the table has the rows that it should."""
        copy = self.store.workshop.table("fetched")
        self.store.run("fetch", COPY, copy)
        self.store.workshop.check("tarn", copy, self.expected)
        self.store.workshop.remove(copy)


def group(path):
    """The folder and the file group of a base file."""
    folder, _, name = path.rpartition("/")
    return folder, name.split("_", 1)[0]


def touched(before, after):
    """The files of before whose groups have a newer one."""
    changed = {group(path) for path in after if path not in before}
    return [path for path in before if group(path) in changed]


def untouched(before, paths, traffic):
    """Ranges of the touched files for a bare copy: the same share of each, and no more than what stayed as it was.

    A splice sends what it does not have copied; so much of each file is left out.
    """
    total = sum(before[path] for path in paths)
    share = max(total - traffic.up, 0) / total if total else 0
    return [[LOADED + path, 0, int(before[path] * share)] for path in paths]


def run(workshop, options):
    rows = options.rows or ROWS
    store = Store(workshop)
    folder = workshop.batches("standard", rows, *BATCHES)
    data = workshop.rows(rows)
    print(f"s3: {rows:,} rows, {counted(options.runs, 'run')}")
    load = workshop.run(
        [workshop.tarn, "insert", f"s3://{BUCKET}/{LOADED[:-1]}", "--from", data, "--create", *TABLE_OPTIONS])
    print(f"  load: {seconds(load.seconds)}, {load.megabytes:.0f} MB", flush=True)
    store.run("delta-load", f"s3://{BUCKET}/delta", data)
    found = {batch: Upserts(store, batch, folder, options.runs) for batch in BATCHES}
    objects = {task: large(workshop, store, task, options.runs) for task in ("write", "read")}
    text = upsert_table(found) + "\n" + object_table(objects) + NOTES
    publish("s3", f"{rows:,} rows, {counted(options.runs, 'run')}", text, rows == ROWS)


def large(workshop, store, task, runs):
    """One large object, by Tarn and by boto3, in turn."""
    program = os.path.join(build, "release", "TarnBenchmarks")
    tarn, boto = [], []
    for _ in range(runs):
        words = [program, "--object", task, f"s3://{BUCKET}/objects", str(LARGE), workshop.answer]
        usage = workshop.run(words)
        with open(workshop.answer, encoding="utf-8") as file:
            usage.seconds = json.load(file)["seconds"]
        tarn.append(usage)
        boto.append(store.run(task, LARGE))
        print(f"  {task}: Tarn {seconds(tarn[-1].seconds)}, boto3 {seconds(boto[-1].seconds)}", flush=True)
    return middle(tarn), middle(boto), max(usage.megabytes for usage in tarn)


def share(part, whole, bound):
    value = 100 * part / whole
    end = "" if bound is None else f" of at most {100 * bound:g} %, {verdict(part / whole <= bound)}"
    return f"{part / 1e6:.1f} MB, {value:.1f} %{end}"


def verdict(holds):
    return "reached" if holds else "**missed**"


def upsert_table(found):
    def row(title, cell):
        return [title] + [cell(name, upserts) for name, upserts in found.items()]

    def requests(upserts):
        traffic = upserts.traffic
        bound = BASE + GROUP * len(upserts.touched) + len(traffic.copies)
        return f"{traffic.requests} of at most {bound}, {verdict(traffic.requests <= bound)}"

    def trips(upserts):
        return f"{upserts.slow.trips} of at most {TRIPS_BOUND}, {verdict(upserts.slow.trips <= TRIPS_BOUND)}"

    rows = [
        row("touched files", lambda _, it: f"{len(it.touched)}, {it.bytes / 1e6:.1f} MB"),
        row("from server to client", lambda name, it: share(
            it.traffic.down, it.bytes, DOWN if name == "newest" else None)),
        row("from client to server", lambda name, it: share(
            it.traffic.up, it.bytes, UP if name == "newest" else None)),
        row("parts that the server copied", lambda _, it: str(len(it.traffic.copies))),
        row("requests", lambda _, it: requests(it)),
        row("time", lambda _, it: seconds(it.tarn.seconds)),
        row("the bare copy, against it", lambda _, it: f"{seconds(it.floor.seconds)}, " + at_most(
            it.tarn.seconds / it.floor.seconds, FLOOR_BOUND)),
        row("deltalake's merge, against it", lambda _, it: f"{seconds(it.delta.seconds)}, " + at_most(
            it.tarn.seconds / it.delta.seconds, DELTA_BOUND)),
        row("peak memory", lambda _, it: at_most(it.memory, MEMORY_BOUND, " MB")),
        row(f"time, {1_000 * DELAY:.0f} ms a request more", lambda _, it: seconds(it.delayed.seconds)),
        row("round trips one after the other", lambda _, it: trips(it)),
    ]
    return table(["upsert", *found], rows)


def object_table(objects):
    titles = {"write": "streaming write", "read": "sequential read"}
    return table([f"{LARGE // 1_000_000} MB", "Tarn", "boto3", "ratio", "peak memory"], [
        [titles[task], seconds(tarn.seconds), seconds(boto.seconds), at_most(
            tarn.seconds / boto.seconds, OBJECT_BOUND), at_most(memory, MEMORY_BOUND, " MB")]
        for task, (tarn, boto, memory) in objects.items()
    ])


NOTES = f"""
The server is Ceph's gateway on this machine, its objects in memory (`Tests/s3-server`), so that it takes its share of the cores. Whole processes are timed for Tarn, for the peers the operation alone. Bytes are those of bodies, and requests all of the process, seen by a proxy before the server; round trips are the most requests of which each began when the one before had ended. The bare copy is boto3's `UploadPartCopy`, {counted(8, 'request')} at once, of as many bytes of the touched files as Tarn did not send. Each upsert is a fresh process on a fresh copy of the loaded table; the rows and sums of the table are compared with what they should be.
"""
