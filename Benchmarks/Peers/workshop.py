"""Processes, data and tables of the comparison.

This program stays small and imports no engine: the system counts the memory of whoever starts a process as that
process's own until it runs its program.
"""
import json
import os
import shutil
import statistics
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
build = os.path.join(os.path.dirname(here), ".build")
TABLE_OPTIONS = ["--key", "transaction_id", "--partition-by", "exchange", "--order-by", "timestamp"]


class Usage:
    """What a process took: seconds from start to end and on all cores, and the most megabytes at once."""

    def __init__(self, seconds, processor, megabytes):
        self.seconds, self.processor, self.megabytes = seconds, processor, megabytes


class Failure(Exception):
    pass


class Workshop:
    def __init__(self, tarn):
        self.tarn = tarn
        self.data = os.path.join(build, "data", "peers")
        self.tables = os.path.join(build, "tables", "peers")
        self.answer = os.path.join(self.tables, "answer.json")
        self.log = os.path.join(self.tables, "log")
        shutil.rmtree(self.tables, ignore_errors=True)
        os.makedirs(self.data, exist_ok=True)
        os.makedirs(self.tables)

    # Processes.

    def run(self, words):
        """Runs a process to its end; what it says is shown where it fails."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, self.log, flags, 0o644),
        ]
        begin = time.perf_counter()
        process = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - begin
        if status:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise Failure(f"this failed: {' '.join(words)}\n{file.read()}")
        unit = 1 if sys.platform == "darwin" else 1_024
        return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)

    def script(self, name, *arguments):
        return self.run([sys.executable, os.path.join(here, name), *arguments])

    def operation(self, name, *arguments):
        """Runs a script that times its operation itself."""
        usage = self.script(name, *arguments, self.answer)
        with open(self.answer, encoding="utf-8") as file:
            usage.seconds = json.load(file)["seconds"]
        return usage

    def check(self, engine, table, expected):
        """Fails unless a table holds what is expected."""
        self.script("engines.py", engine, "check", table, expected, self.answer)
        if engine != "tarn":
            return
        with open(expected, encoding="utf-8") as file:
            rows = json.load(file)["rows"]
        self.expect_count(table, rows)

    def expect_count(self, table, rows):
        counted = os.path.join(self.tables, "count")
        self.run(["sh", "-c", '"$0" count "$1" >"$2"', self.tarn, table, counted])
        with open(counted, encoding="utf-8") as file:
            found = int(file.read())
        if found != rows:
            raise Failure(f"{table}: {found} rows instead of {rows}")

    # Data, which is kept from run to run.

    def rows(self, count, seed=3, first=0):
        path = os.path.join(self.data, f"rows-{seed}-{first}-{count}.parquet")
        if not os.path.exists(path):
            maker = os.path.join(build, "release", "TarnBenchmarks")
            self.run([maker, "--make-rows", path + ".new", str(seed), str(first), str(count)])
            os.rename(path + ".new", path)
        return path

    def batches(self, kind, count, *names):
        """A folder of batches for a table of so many rows; made anew, for that takes little."""
        folder = os.path.join(self.data, f"{kind}-{count}")
        os.makedirs(folder, exist_ok=True)
        inserts = self.rows(20_000, seed=4, first=count)
        self.script("batches.py", kind, self.rows(count), inserts, folder, *names)
        return folder

    # Tables.

    def table(self, name):
        return os.path.join(self.tables, name)

    def load_tarn(self, table, rows, *options):
        words = [self.tarn, "insert", table, "--from", rows, "--create", *TABLE_OPTIONS, *options]
        return self.run(words + ["--no-sync"])

    def upsert_tarn(self, table, batch, *options):
        return self.run([self.tarn, "upsert", table, "--from", batch, *options])

    def remove(self, table):
        shutil.rmtree(table, ignore_errors=True)

    def copy(self, table, linked=False):
        """A copy of a table that replaces the one before, and that has reached the disk.

        Linked, its base files are the same files under another name: they never change.
        """
        target = self.table("copy")
        shutil.rmtree(target, ignore_errors=True)

        def place(source, to):
            if linked and source.endswith(".parquet") and ".hoodie" not in os.path.dirname(source):
                os.link(source, to)
            else:
                shutil.copyfile(source, to)

        shutil.copytree(table, target, copy_function=place)
        os.sync()
        return target


def base_files(table):
    """Each base file's path with its file group, folder and id, and instant."""
    found = []
    for folder, _, names in os.walk(table):
        for name in names:
            if name.endswith(".parquet") and ".hoodie" not in folder:
                group, _, instant = name.removesuffix(".parquet").split("_")
                found.append((os.path.join(folder, name), (folder, group), instant))
    return found


def slices(table):
    """The base files of each file group, oldest first."""
    groups = {}
    for path, group, instant in base_files(table):
        groups.setdefault(group, []).append((instant, path))
    return [[path for _, path in sorted(files)] for files in groups.values()]


def latest_files(table):
    """The base files that a reader sees where every one of them is committed."""
    return [files[-1] for files in slices(table)]


def counted(count, word):
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def megabytes(path):
    """The size of all files below a path."""
    return sum(
        os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names
    ) / 1e6


def middle(usages):
    """The medians of what several runs took."""
    return Usage(*(statistics.median(getattr(usage, name) for usage in usages)
                   for name in ("seconds", "processor", "megabytes")))


def machine():
    """The machine and the peers, for people."""
    import importlib.metadata

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    names = ["boto3", "deltalake", "duckdb", "polars", "pylance", "pyarrow"]
    there = {found.name for found in importlib.metadata.distributions()}
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names if name in there)
    return f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GB of memory; {versions}"
