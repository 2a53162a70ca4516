"""`growth`, `many` and `memory`: what upserts cost in a large table, and in one that was upserted into often."""
import os
import statistics

from report import at_least, at_most, publish, seconds, table
from workshop import base_files, counted, latest_files, megabytes, middle, slices

SMALL, LARGE = 1_000_000, 16_000_000
GROWTH_BOUND = 1.3
MANY_ROWS, MANY, KEPT_SLICES = 2_000_000, 200, 10
TIME_BOUND, READ_BOUND = 1.5, 1.2
BUDGET, BUDGET_SLACK, CORES_BOUND = 256, 1.2, 1.5


def growth(workshop, options):
    """A batch whose keys lie in one file group, in a small and in a large table of equal file groups."""
    large = options.rows or LARGE
    small = large * SMALL // LARGE
    # Less than what a partition of the small table takes, so that it fills a file too.
    size = f"{max(small // 6 * 75 // 1_024, 64)}K"
    rows, tables, batches, found = [], {}, {}, {small: [], large: []}
    for count in found:
        tables[count] = workshop.table(f"growth-{count}")
        workshop.load_tarn(
            tables[count], workshop.rows(count), "--target-file-size", size, "--small-file-limit", "0")
        # The table's largest file: of those that are full.
        path = max((path for path, _, _ in base_files(tables[count])), key=os.path.getsize)
        batches[count] = os.path.join(workshop.data, f"growth-{count}.parquet")
        workshop.script("batches.py", "group", path, batches[count])
        files = len(base_files(tables[count]))
        rows.append([f"{count:,} rows", str(files), f"{os.path.getsize(path) / 1e6:.1f} MB"])
    for _ in range(options.runs):
        for count in found:
            copy = workshop.copy(tables[count], linked=True)
            found[count].append(workshop.upsert_tarn(copy, batches[count], "--no-sync"))
            workshop.expect_count(copy, count)
    middles = [middle(usages) for usages in found.values()]
    for row, usage in zip(rows, middles):
        row += [seconds(usage.seconds), f"{usage.megabytes:.0f} MB"]
    text = table(["table", "files", "the touched file", "upsert", "memory"], rows)
    ratio = middles[1].seconds / middles[0].seconds
    text += f"\nThe large table against the small one: {at_most(ratio, GROWTH_BOUND)}.\n"
    title = f"100 updates in one file group, {counted(options.runs, 'run')}"
    publish("growth", title, text, large == LARGE)


def many(workshop, options):
    """Tiny upserts one after another, and what the last ones and reading cost then."""
    count = options.rows or MANY_ROWS
    folder = workshop.batches("many", count, str(MANY))
    place = workshop.table("many")
    workshop.load_tarn(place, workshop.rows(count))
    before, foreign_before = reads(workshop, place, options.runs, os.path.join(folder, "loaded.json"))
    size, times = megabytes(place), []
    for number in range(1, MANY + 1):
        batch = os.path.join(folder, f"many-{number}.parquet")
        times.append(workshop.upsert_tarn(place, batch, "--no-sync").seconds)
        if number % 20 == 0:
            print(f"  upsert {number}: {seconds(times[-1])}", flush=True)
        remove_superseded(place)
    after, foreign_after = reads(workshop, place, options.runs, os.path.join(folder, "many.json"))
    # One upsert's time is noise: the median of it and its neighbours stands for it.
    early, late = statistics.median(times[7:12]), statistics.median(times[-5:])
    text = table(
        ["", "before or early", "afterwards or late", "ratio"],
        [
            ["upsert: 10th, 200th", seconds(early), seconds(late), at_most(late / early, TIME_BOUND)],
            ["`tarn read`", seconds(before), seconds(after), at_most(after / before, READ_BOUND)],
            [
                "pyarrow's read", seconds(foreign_before), seconds(foreign_after),
                f"{foreign_after / foreign_before:.2f}x",
            ],
            ["latest files", f"{size:.0f} MB", f"{latest_megabytes(place):.0f} MB", ""],
        ])
    text += "\nThe times of the 10th and the 200th are medians of the 8th to 12th and of the 196th to 200th.\n"
    publish("many", f"{MANY} tiny upserts into {count:,} rows", text, count == MANY_ROWS)


def reads(workshop, place, runs, expected):
    """How long reading all of a table takes Tarn, and pyarrow; compares what it holds as well."""
    own = [workshop.run([workshop.tarn, "read", place, "--format", "parquet"]).seconds for _ in range(runs)]
    foreign = [workshop.operation("engines.py", "tarn", "scan", place).seconds for _ in range(runs)]
    workshop.check("tarn", place, expected)
    return statistics.median(own), statistics.median(foreign)


def remove_superseded(place):
    """What cleaning will do: of each file group, only the last slices stay."""
    for files in slices(place):
        for path in files[:-KEPT_SLICES]:
            os.remove(path)


def latest_megabytes(place):
    return sum(map(os.path.getsize, latest_files(place))) / 1e6


def memory(workshop, options):
    """The batch *uniform* in a large table, under a budget."""
    count = options.rows or LARGE
    folder = workshop.batches("standard", count, "uniform")
    place, batch = workshop.table("memory"), os.path.join(folder, "uniform.parquet")
    workshop.load_tarn(place, workshop.rows(count))
    found = []
    for _ in range(options.runs):
        copy = workshop.copy(place, linked=True)
        found.append(workshop.upsert_tarn(copy, batch, "--no-sync", "--memory", f"{BUDGET}M"))
        workshop.check("tarn", copy, os.path.join(folder, "uniform.json"))
    usage = middle(found)
    peak = max(usage.megabytes for usage in found)
    text = table(
        ["time", "processor time", "processor time a second", "peak memory"],
        [[
            seconds(usage.seconds), seconds(usage.processor),
            at_least(usage.processor / usage.seconds, CORES_BOUND), at_most(peak, BUDGET * BUDGET_SLACK, " MB"),
        ]])
    publish("memory", f"uniform in {count:,} rows under {BUDGET} MB, {counted(options.runs, 'run')}", text, count == LARGE)
