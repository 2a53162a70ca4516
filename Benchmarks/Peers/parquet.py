"""One task of the Parquet comparison, done by pyarrow or polars.

usage: parquet.py LIBRARY TASK FILE OUT REPEATS ANSWER

TASK is read-all, read-three or write. The best of so many seconds goes to the file ANSWER. The task alone is
timed: neither the start of the interpreter nor, for a write, the reading of the rows.
"""
import sys
import time

library, task, path, out, repeats, answer = sys.argv[1:]
columns = ["transaction_id", "timestamp", "price"] if task == "read-three" else None

if library == "pyarrow":
    import pyarrow.parquet as pq

    rows = pq.read_table(path) if task == "write" else None

    def run():
        if task == "write":
            pq.write_table(rows, out, compression="zstd", compression_level=1)
        else:
            return pq.read_table(path, columns=columns)
else:
    import polars as pl

    rows = pl.read_parquet(path) if task == "write" else None

    def run():
        if task == "write":
            rows.write_parquet(out, compression="zstd", compression_level=1)
        else:
            return pl.read_parquet(path, columns=columns)

taken = []
for _ in range(int(repeats)):
    begin = time.perf_counter()
    result = run()
    taken.append(time.perf_counter() - begin)
    del result
with open(answer, "w", encoding="utf-8") as file:
    file.write(str(min(taken)))
