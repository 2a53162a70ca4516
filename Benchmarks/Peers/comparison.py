"""`peers`: the same load and the same four batches for Tarn and its peers."""
import os
import shutil

from report import at_least, at_most, publish, seconds, table
from workshop import counted, megabytes, middle

ROWS = 2_000_000
# What a table of Tarn's is created with.
TARN = {"tarn": [], "bare": ["--no-meta-columns"]}
ENGINES = [*TARN, "deltalake", "duckdb", "polars", "lance"]
TITLES = {
    "tarn": "Tarn", "synced": "Tarn, synced", "bare": "Tarn without meta columns", "deltalake": "deltalake",
    "duckdb": "DuckDB", "polars": "polars", "lance": "Lance",
}
REWRITERS = ["deltalake", "duckdb", "polars"]
# batch: times as fast as the fastest that rewrites, as Lance; times less memory than deltalake
BOUNDS = {"tiny": (16, 1.2, 12), "newest": (10, 2, 10), "recent": (7, 2, 7), "uniform": (2, 1, 7)}
COPY_BOUND, LOAD_BOUND, SIZE_BOUND = 1.5, 1.25, 1.6


def run(workshop, options):
    rows = options.rows or ROWS
    engines = [name for name in ENGINES if name in options.engines]
    folder = workshop.batches("standard", rows, *BOUNDS)
    data = workshop.rows(rows)
    print(f"peers: {rows:,} rows ({megabytes(workshop.data):.0f} MB of data), {counted(options.runs, 'run')}")
    loads = load(workshop, engines, data, folder, options.runs)
    text = load_table(workshop, loads) + "\n"
    batches, copies = {}, []
    for batch in BOUNDS:
        batches[batch] = upserts(workshop, engines, batch, folder, options.runs, copies)
    text += batch_table(batches)
    if "tarn" in engines and len(engines) > 1:
        text += "\n" + bounds_table(batches, middle(copies).seconds)
    text += NOTES
    publish("peers", f"{rows:,} rows, {counted(options.runs, 'run')}", text, rows == ROWS and engines == ENGINES)


def load(workshop, engines, data, folder, runs):
    """Loads a table with each engine, in turn, and keeps the last."""
    found = {name: [] for name in engines}
    for _ in range(runs):
        for name in engines:
            shutil.rmtree(workshop.table(name), ignore_errors=True)
            os.sync()
            if name in TARN:
                found[name].append(workshop.load_tarn(workshop.table(name), data, *TARN[name]))
            else:
                found[name].append(workshop.operation("engines.py", name, "load", workshop.table(name), data))
            print(f"  load {name}: {seconds(found[name][-1].seconds)}", flush=True)
    for name in engines:
        workshop.check(engine(name), workshop.table(name), os.path.join(folder, "loaded.json"))
    return {name: middle(usages) for name, usages in found.items()}


def engine(mode):
    """What reads the tables of a mode."""
    return "tarn" if mode in TARN or mode == "synced" else mode


def upserts(workshop, engines, batch, folder, runs, copies):
    """Upserts a batch with each engine, in turn, into fresh copies; checks what each table holds afterwards."""
    modes = [mode for name in engines for mode in (["tarn", "synced"] if name == "tarn" else [name])]
    found = {mode: [] for mode in modes}
    path = os.path.join(folder, batch + ".parquet")
    for _ in range(runs):
        for mode in modes:
            name = engine(mode)
            copy = workshop.copy(workshop.table("tarn" if mode == "synced" else mode))
            if name == "tarn":
                usage = workshop.upsert_tarn(copy, path, *([] if mode == "synced" else ["--no-sync"]))
            else:
                usage = workshop.operation("engines.py", name, "upsert", copy, path)
            found[mode].append(usage)
            print(f"  {batch} {mode}: {seconds(usage.seconds)}, {usage.megabytes:.0f} MB", flush=True)
            workshop.check(name, copy, os.path.join(folder, batch + ".json"))
        if "tarn" in engines and batch == "tiny":
            shutil.rmtree(workshop.table("copy"))
            os.sync()
            copies.append(workshop.operation("copying.py", workshop.table("tarn"), workshop.table("copy")))
    return {mode: middle(usages) for mode, usages in found.items()}


def load_table(workshop, loads):
    sizes = {name: megabytes(workshop.table(name)) for name in loads}
    rows = []
    for name, usage in loads.items():
        ratio = f"{sizes[name] / sizes['polars']:.2f}x" if "polars" in loads else ""
        rows.append(
            [TITLES[name], seconds(usage.seconds), f"{usage.megabytes:.0f} MB", f"{sizes[name]:.0f} MB", ratio])
    text = table(["load", "time", "memory", "table", "of polars' size"], rows)
    if {"tarn", "deltalake", "polars"} <= loads.keys():
        fastest = min(loads["deltalake"].seconds, loads["polars"].seconds)
        time = at_most(loads["tarn"].seconds / fastest, LOAD_BOUND)
        size = at_most(sizes["tarn"] / sizes["polars"], SIZE_BOUND)
        text += f"\nLoad against the faster of deltalake and polars: {time}. Size against polars: {size}.\n"
    return text


def batch_table(batches):
    modes = list(next(iter(batches.values())))
    rows = [
        [batch] + [f"{seconds(found[mode].seconds)}, {found[mode].megabytes:.0f} MB" for mode in modes]
        for batch, found in batches.items()
    ]
    return table(["upsert"] + [TITLES[mode] for mode in modes], rows)


def speed(found, peer):
    """How many times as fast Tarn is: synced where the peer syncs."""
    return found[peer].seconds / found["synced" if peer == "duckdb" else "tarn"].seconds


def bounds_table(batches, copy):
    rows = []
    for batch, found in batches.items():
        fastest, lance, memory = BOUNDS[batch]
        speeds = {peer: speed(found, peer) for peer in REWRITERS if peer in found}
        cells = [f"{speeds[peer]:.2f}x" if peer in speeds else "" for peer in REWRITERS]
        cells.append(at_least(min(speeds.values()), fastest) if speeds else "")
        cells.append(at_least(speed(found, "lance"), lance) if "lance" in found else "")
        less = found["deltalake"].megabytes / found["tarn"].megabytes if "deltalake" in found else 0
        cells.append(at_least(less, memory) if less else "")
        rows.append([batch] + cells)
    head = ["Tarn against"] + [TITLES[peer] for peer in REWRITERS]
    text = table(head + ["the fastest of these", "Lance", "deltalake's memory"], rows)
    ratio = batches["tiny"]["tarn"].seconds / copy
    return text + (
        f"\nA bare `copy_file_range` of the table's files took {seconds(copy)}; "
        f"*tiny* against it, which counts as reached too: {at_most(ratio, COPY_BOUND)}.\n"
    )


NOTES = """
Whole processes are timed for Tarn; for the peers the operation alone, from the batch's Parquet file to the committed table. Tarn runs with `--no-sync`, but against DuckDB, which syncs, without it. Each upsert is a fresh process on a fresh copy of the loaded table; after each, the table's rows and sums are compared with what they should be.
"""
