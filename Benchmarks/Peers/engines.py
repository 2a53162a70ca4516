"""The engines beside Tarn: how each loads a table, upserts a batch into it, and reads it back.

usage: engines.py ENGINE load TABLE ROWS ANSWER
       engines.py ENGINE upsert TABLE BATCH ANSWER
       engines.py ENGINE check TABLE EXPECTED ANSWER
       engines.py tarn scan TABLE ANSWER

The seconds of the operation alone go to the file ANSWER as JSON: from the Parquet file to the committed table,
without the start of the interpreter and the imports. An engine's library is imported in its own process only, so
that the peak memory of the process is that engine's.
"""
import json
import os
import sys
import time

from workshop import latest_files

KEY = "transaction_id"
PARTITION = "exchange"


class DeltaLake:
    """A Delta table in folders by partition; `merge` rewrites the files that hold a matching key."""

    def __init__(self, storage=None):
        import deltalake
        import pyarrow.parquet

        self.deltalake, self.parquet, self.storage = deltalake, pyarrow.parquet, storage

    def load(self, table, rows):
        self.deltalake.write_deltalake(
            table, self.parquet.read_table(rows), partition_by=[PARTITION], mode="append",
            storage_options=self.storage,
        )

    def upsert(self, table, batch):
        merge = self.deltalake.DeltaTable(table, storage_options=self.storage).merge(
            source=self.parquet.read_table(batch),
            predicate=f"target.{PARTITION} = source.{PARTITION} and target.{KEY} = source.{KEY}",
            source_alias="source",
            target_alias="target",
        )
        merge.when_matched_update_all().when_not_matched_insert_all().execute()

    def read(self, table):
        for file in self.deltalake.DeltaTable(table).file_uris():
            folder = os.path.basename(os.path.dirname(file))
            yield from read_columns(file, folder.removeprefix(PARTITION + "="))


class DuckDB:
    """DuckDB's own table with a primary key, which is an index in the file."""

    file = "table.duckdb"

    def __init__(self):
        import duckdb

        self.duckdb = duckdb

    def load(self, table, rows):
        os.makedirs(table, exist_ok=True)
        with self.duckdb.connect(os.path.join(table, self.file)) as connection:
            described = connection.execute(f"describe select * from read_parquet('{rows}')").fetchall()
            columns = ", ".join(f'"{name}" {kind}' for name, kind, *_ in described)
            connection.execute(f"create table trades ({columns}, primary key ({KEY}))")
            connection.execute(f"insert into trades select * from read_parquet('{rows}')")

    def upsert(self, table, batch):
        # Closing writes what was changed from the log into the table's file.
        with self.duckdb.connect(os.path.join(table, self.file)) as connection:
            connection.execute(f"insert or replace into trades select * from read_parquet('{batch}')")

    def read(self, table):
        with self.duckdb.connect(os.path.join(table, self.file), read_only=True) as connection:
            return [connection.sql("select * from trades").to_arrow_table()]


class Polars:
    """A Parquet file that is rewritten as a stream, without the batch's keys and with the batch's rows.

    One file: this took less time than a file by partition, and than reading everything before writing.
    """

    file = "rows.parquet"

    def __init__(self):
        import polars

        self.polars = polars

    def load(self, table, rows):
        os.makedirs(table, exist_ok=True)
        self._write(self.polars.scan_parquet(rows), table)

    def upsert(self, table, batch):
        new = self.polars.scan_parquet(batch)
        old = self.polars.scan_parquet(os.path.join(table, self.file))
        self._write(self.polars.concat([old.join(new, on=KEY, how="anti"), new]), table)

    def _write(self, rows, table):
        path = os.path.join(table, self.file)
        rows.sink_parquet(path + ".new", compression="zstd", compression_level=1)
        os.rename(path + ".new", path)

    def read(self, table):
        return read_columns(os.path.join(table, self.file))


class Lance:
    """A Lance dataset with a scalar index on the key: changed rows are marked deleted and appended."""

    def __init__(self):
        import lance
        import pyarrow.parquet

        self.lance, self.parquet = lance, pyarrow.parquet

    def load(self, table, rows):
        dataset = self.lance.write_dataset(self.parquet.read_table(rows), table)
        dataset.create_scalar_index(KEY, "BTREE")

    def upsert(self, table, batch):
        merge = self.lance.dataset(table).merge_insert(KEY)
        merge.when_matched_update_all().when_not_matched_insert_all().execute(self.parquet.read_table(batch))

    def read(self, table):
        return [self.lance.dataset(table).to_table()]


class Tarn:
    """Tarn's table as any reader of base files sees it: of each file group, the file of the latest instant."""

    def read(self, table):
        for path in latest_files(table):
            yield from read_columns(path)

    def scan(self, table):
        """Reads every page of the latest files, and keeps none."""
        import pyarrow.parquet

        for path in latest_files(table):
            pyarrow.parquet.read_table(path)


def read_columns(path, partition=None):
    """The columns that are compared, a row group at a time; the partition's value for a file without it."""
    import pyarrow
    import pyarrow.parquet
    from digest import COLUMNS

    file = pyarrow.parquet.ParquetFile(path)
    names = [name for name in COLUMNS if name in file.schema_arrow.names]
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=names)
        if PARTITION not in names:
            table = table.append_column(PARTITION, pyarrow.array([partition] * len(table)))
        yield table


ENGINES = {"deltalake": DeltaLake, "duckdb": DuckDB, "polars": Polars, "lance": Lance, "tarn": Tarn}


def main():
    name, task, *places, answer = sys.argv[1:]
    engine = ENGINES[name]()
    begin = time.perf_counter()
    if task == "check":
        from digest import compare

        compare(name, engine.read(places[0]), places[1])
    else:
        getattr(engine, task)(*places)
    with open(answer, "w", encoding="utf-8") as file:
        json.dump({"seconds": time.perf_counter() - begin}, file)


if __name__ == "__main__":
    main()
