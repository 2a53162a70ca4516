"""What a table holds, as numbers that do not depend on the order of its rows."""
import json

COLUMNS = [
    "transaction_id", "client_order_id", "timestamp", "price", "quantity", "trade_fee", "exchange",
    "trade_status",
]


def texts(column):
    """A number for each text, of its first and last bytes: texts of three bytes or more."""
    import numpy
    import pyarrow

    array = column.cast(pyarrow.large_string()).combine_chunks()
    if isinstance(array, pyarrow.ChunkedArray):
        array = pyarrow.concat_arrays(array.chunks)
    _, offsets, data = array.buffers()
    ends = numpy.frombuffer(offsets, numpy.int64)[array.offset : array.offset + len(array) + 1]
    data = numpy.frombuffer(data, numpy.uint8)
    number = (ends[1:] - ends[:-1]).astype(numpy.uint64)
    for place in range(3):
        for at in (ends[:-1] + place, ends[1:] - 1 - place):
            number = number * numpy.uint64(1_000_003) + data[at]
    return number


def units(column):
    """The integers behind decimals and times, modulo 2^64."""
    import numpy
    import pyarrow

    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", column.type.tz)).cast(pyarrow.int64())
        return column.to_numpy().astype(numpy.uint64)
    column = column.cast(pyarrow.decimal128(38, column.type.scale))
    chunks = [
        numpy.frombuffer(chunk.buffers()[1], numpy.uint64)[2 * chunk.offset : 2 * (chunk.offset + len(chunk)) : 2]
        for chunk in column.chunks
    ]
    return numpy.concatenate(chunks) if chunks else numpy.zeros(0, numpy.uint64)


def digest(tables):
    """Rows, sums of each column, and a sum that mixes each row's columns with its key."""
    import numpy

    found = {"rows": 0, "mixed": 0} | {name: 0 for name in COLUMNS}
    for table in tables:
        if not len(table):
            continue
        key = texts(table["transaction_id"])
        found["rows"] += len(table)
        for place, name in enumerate(COLUMNS):
            kind = str(table[name].type)
            values = units(table[name]) if "decimal" in kind or "timestamp" in kind else texts(table[name])
            found[name] = (found[name] + int(values.sum(dtype=numpy.uint64))) % 2**64
            mixed = (values + numpy.uint64(place)) * (key | numpy.uint64(1))
            found["mixed"] = (found["mixed"] + int((mixed * mixed).sum(dtype=numpy.uint64))) % 2**64
    return found


def change(state, removed, added):
    """What a table of some digest holds after rows were taken away and others added."""
    return {name: (state[name] - removed[name] + added[name]) % 2**64 for name in state}


def compare(name, tables, path):
    """Ends the process where a table does not hold what is expected."""
    found = digest(tables)
    with open(path, encoding="utf-8") as file:
        expected = json.load(file)
    if found != expected:
        wrong = ", ".join(f"{k}: {found[k]} instead of {expected[k]}" for k in expected if found[k] != expected[k])
        raise SystemExit(f"the table of {name} does not hold what it should: {wrong}")
