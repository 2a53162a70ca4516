"""Makes the batches that are upserted, and says what the table holds afterwards.

usage: batches.py standard ROWS INSERTS FOLDER NAME...
       batches.py many ROWS INSERTS FOLDER COUNT
       batches.py group BASEFILE BATCH

ROWS is the table's Parquet file in order of time, INSERTS one of rows that come after them. A batch is
FOLDER/NAME.parquet, what the table holds after it FOLDER/NAME.json; FOLDER/loaded.json is what it holds before.
An update has new price, quantity, status and time, and the old key and partition. Batches are in random order.
"""
import decimal
import json
import os
import random
import sys

import pyarrow
import pyarrow.parquet as parquet
from digest import change, digest

# name: updates, the share of them that hits the newest tenth of the rows (None: spread over all), inserts
STANDARD = {
    "tiny": (50, None, 50),
    "newest": (1_000, 1.0, 1_000),
    "recent": (20_000, 0.99, 20_000),
    "uniform": (20_000, None, 20_000),
}
FULL_SIZE = 2_000_000


def spread(numbers, count, begin, end):
    """So many different places from begin to below end, one at random in each of as many equal parts."""
    def border(part):
        return begin + part * (end - begin) // count

    return [
        border(part) + int(numbers.random() * (border(part + 1) - border(part))) for part in range(count)
    ]


def places(numbers, rows, updates, newest):
    """Which rows of the table a batch updates."""
    if newest is None:
        return spread(numbers, updates, 0, rows)
    border = rows - rows // 10
    late = round(updates * newest)
    found = spread(numbers, late, border, rows)
    return found + (spread(numbers, updates - late, 0, border) if updates > late else [])


def updated(numbers, old, time):
    """Rows with other values at a later time, from so many microseconds since 1970 on."""
    def decimals(name, scale):
        units = (decimal.Decimal(1 + int(numbers.random() * 9_999_999)).scaleb(-scale) for _ in range(len(old)))
        return pyarrow.array(list(units), old[name].type)

    new = {
        "timestamp": pyarrow.array([time + 1_000 * row for row in range(len(old))], pyarrow.int64()).cast(
            old["timestamp"].type
        ),
        "price": decimals("price", 2),
        "quantity": decimals("quantity", 6),
        "trade_status": pyarrow.array(
            [("COMPLETED", "CANCELLED", "FAILED")[int(numbers.random() * 3)] for _ in range(len(old))],
            old["trade_status"].type,
        ),
    }
    for name, values in new.items():
        old = old.set_column(old.schema.get_field_index(name), old.schema.field(name), values)
    return old


def microseconds(value):
    return value.cast(pyarrow.int64()).as_py()


class Rows:
    """A table's rows in one file, read a row group at a time."""

    def __init__(self, path):
        self.file = parquet.ParquetFile(path)
        self.count = self.file.metadata.num_rows

    def walk(self, wanted):
        """The digest of all rows, and for each list of places its rows."""
        state, found, begin = digest([]), [[] for _ in wanted], 0
        wanted = [sorted(places) for places in wanted]
        for group in range(self.file.num_row_groups):
            rows = self.file.read_row_group(group)
            state = change(state, digest([]), digest([rows]))
            for batch, places in enumerate(wanted):
                here = [place - begin for place in places if begin <= place < begin + len(rows)]
                if here:
                    found[batch].append(rows.take(here))
            begin += len(rows)
        return state, [pyarrow.concat_tables(parts) for parts in found]


def shuffled(numbers, rows):
    order = list(range(len(rows)))
    order.sort(key=lambda _: numbers.random())
    return rows.take(order)


def write(rows, path):
    parquet.write_table(rows, path, compression="zstd", compression_level=1)


def write_state(state, folder, name):
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(state, file)


def make(numbers, old, inserts):
    """A batch of updates of some rows and of some inserts."""
    time = microseconds(inserts["timestamp"][-1]) + 1_000_000
    return shuffled(numbers, pyarrow.concat_tables([updated(numbers, old, time), inserts]))


def standard(path, inserts, folder, *names):
    rows, inserts, numbers = Rows(path), parquet.read_table(inserts), random.Random(11)
    share = min(1, rows.count / FULL_SIZE)
    sizes = {
        name: (max(50, round(updates * share)), newest, max(50, round(new * share)))
        for name, (updates, newest, new) in STANDARD.items()
        if name in names
    }
    wanted = [places(numbers, rows.count, updates, newest) for updates, newest, _ in sizes.values()]
    loaded, old = rows.walk(wanted)
    write_state(loaded, folder, "loaded")
    for (name, (_, _, new)), gone in zip(sizes.items(), old):
        batch = make(numbers, gone, inserts.slice(0, new))
        write(batch, os.path.join(folder, name + ".parquet"))
        write_state(change(loaded, digest([gone]), digest([batch])), folder, name)


def many(path, inserts, folder, count):
    """Batches of the size of *tiny* that follow one another, none updating what another does."""
    rows, inserts, numbers = Rows(path), parquet.read_table(inserts), random.Random(12)
    updates, _, new = STANDARD["tiny"]
    order = sorted(range(int(count)), key=lambda _: numbers.random())
    parts = updates * len(order)
    wanted = [
        [(part * len(order) + at) * rows.count // parts for part in range(updates)] for at in order
    ]
    state, old = rows.walk(wanted)
    write_state(state, folder, "loaded")
    for number, gone in enumerate(old, 1):
        batch = make(numbers, gone, inserts.slice((number - 1) * new, new))
        write(batch, os.path.join(folder, f"many-{number}.parquet"))
        state = change(state, digest([gone]), digest([batch]))
    write_state(state, folder, "many")


def group(path, batch):
    """Updates of 100 rows that lie in one base file."""
    rows = parquet.read_table(path)
    rows = rows.select([name for name in rows.column_names if not name.startswith("_hoodie_")])
    numbers = random.Random(13)
    old = rows.take(spread(numbers, 100, 0, len(rows)))
    time = microseconds(pyarrow.compute.max(rows["timestamp"])) + 1_000_000
    write(shuffled(numbers, updated(numbers, old, time)), batch)


if __name__ == "__main__":
    import pyarrow.compute

    {"standard": standard, "many": many, "group": group}[sys.argv[1]](*sys.argv[2:])
