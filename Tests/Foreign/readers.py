"""hudi-rs, Daft, pyarrow and DuckDB behind one process: questions and answers as in rows.serve.

  {"do": "hudi", "table": P, "as_of": T, "since": T, "until": T, "select": [..], "filters": [["v", ">", "1"]],
   "store": S, "out": F}                                                                     answers {"rows": n}
  {"do": "daft-lacks", "table": P}                                     answers {"lacks": what, or null}
  {"do": "daft", "table": P, "select": [..], "store": S, "out": F}                           answers {"rows": n}
  {"do": "pyarrow" | "duckdb", "file": P, "select": [..], "store": S, "out": F}              answers {"rows": n}
  {"do": "duckdb-query", "query": "select ..", "out": F}                                     answers {"rows": n}
  {"do": "compare", "tables": [{"table": P, "files": [..], "select": [..], "answers": [{"rows": F}]}]}
      by hudi-rs, by Daft where it can, and the files below P by the others too, with the lines of F; answers
      {"differences": [..]}
  {"do": "parquet-info", "file": P}         rows, created_by, metadata, schema, row_groups
  {"do": "write-parquet", "out": P, "columns": [{"name", "type", "values", "nullable"}], "options": {..}}
  {"do": "rewrite-parquet", "file": P, "out": P, "encoding": E, "options": {..}}
S, where P is an s3:// URL: {"endpoint": E, "key": K, "secret": T}.
Types are pyarrow's names: int32, string, decimal128(10, 2), timestamp[us, tz=UTC], list<T>, struct<a: T>,
map<K, V>. Options: row_group_size, metadata, and those of pyarrow.parquet.ParquetWriter. Encodings: dictionary,
plain, delta, delta-length, byte-stream-split; columns whose type an encoding does not fit are PLAIN then.
"""
import base64
import datetime
import decimal
import os
import re
import sys

os.environ["TZ"] = "UTC"
os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
os.environ["DAFT_PROGRESS_BAR"] = "0"
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

import daft
import duckdb
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from fsspec.implementations.arrow import ArrowFSWrapper
from hudi import HudiQueryType, HudiReadOptions, HudiTableBuilder

import rows
from arrow import columns_of, hand_over


def hudi(question):
    options = HudiReadOptions()
    if "as_of" in question:
        options = options.with_as_of_timestamp(question["as_of"])
    if "since" in question:
        options = options.with_query_type(HudiQueryType.Incremental).with_start_timestamp(question["since"])
        if "until" in question:
            options = options.with_end_timestamp(question["until"])
    if "filters" in question:
        options = options.with_filters([tuple(condition) for condition in question["filters"]])
    table = HudiTableBuilder.from_base_uri(question["table"])
    if "store" in question:
        store = question["store"]
        table = table.with_options({
            "aws_endpoint": store["endpoint"], "aws_access_key_id": store["key"],
            "aws_secret_access_key": store["secret"], "aws_region": "us-east-1", "aws_allow_http": "true",
        })
    batches = table.build().read(options)
    if not batches:
        return rows.hand_over([], question)
    return hand_over(pa.Table.from_batches(batches), question)


def bounded(file):
    """The columns of which Daft finds least and greatest values in a file."""
    about = pq.read_metadata(file)
    chunks = [about.row_group(g).column(c) for g in range(about.num_row_groups) for c in range(about.num_columns)]
    return frozenset(c.path_in_schema for c in chunks
                     if c.is_stats_set and c.statistics.has_min_max and "." not in c.path_in_schema)


def daft_lacks(table):
    """Why Daft (0.7.26) cannot read a table; None where it can.

    It asks for the class of the key generator, which Hudi 1.2 does not write into the properties any more. The columns
    of a table are those of a file that the newest commit wrote, so that there are none where it wrote no file, as one
    that only changes the schema. And it puts the bounds of all files under the names of the first one's columns: where
    a column has bounds in one file and none in another, as it is null there, it stops ("Schema and number of arrays
    unequal", "Could not convert 'b' with type str: tried to convert to int64"), as it does where no column has any
    ("Expected stats table to have 2 rows").
    """
    with open(os.path.join(table, ".hoodie/hoodie.properties"), encoding="utf-8") as file:
        if not any(line.startswith("hoodie.table.keygenerator.class=") for line in file):
            return "no class of the key generator"
    if not daft.read_hudi(table).column_names:
        return "the newest commit wrote no file"
    newest = {}
    for folder, _, names in os.walk(table):
        for name in names if ".hoodie" not in folder.split(os.sep) else []:
            if name.endswith(".parquet") and not name.startswith("."):
                group, _, instant = name.split("_")
                newest[folder, group] = max(newest.get((folder, group), ("", "")), (instant, name))
    known = {bounded(os.path.join(folder, name)) for (folder, _), (_, name) in newest.items()}
    if len(known) != 1 or not min(known):
        return "files have bounds of different columns, or of none"
    return None


def read_daft(path, store=None):
    config = None
    if store is not None:
        config = daft.io.IOConfig(s3=daft.io.S3Config(
            endpoint_url=store["endpoint"], key_id=store["key"], access_key=store["secret"], region_name="us-east-1",
            use_ssl=store["endpoint"].startswith("https"), force_virtual_addressing=False))
    return daft.read_hudi(path, io_config=config).to_arrow()


def files_of(store):
    """A store's files as pyarrow reads them; None for those of the disk."""
    if store is None:
        return None
    scheme, _, host = store["endpoint"].partition("://")
    return pa.fs.S3FileSystem(access_key=store["key"], secret_key=store["secret"], endpoint_override=host,
                              scheme=scheme, region="us-east-1")


class BucketFiles(ArrowFSWrapper):
    """A store's files for DuckDB, whose own extension for such stores comes from a server of its makers."""
    protocol = "bucket"

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("bucket://")


def ask_duckdb(query, parameters, question):
    connection = duckdb.connect()
    if "store" in question:
        connection.register_filesystem(BucketFiles(files_of(question["store"])))
    connection.execute("set timezone = 'UTC'")
    return hand_over(connection.sql(query, params=parameters).to_arrow_table(), question)


def compare(question):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    found = []
    for asked in question["tables"]:
        def check(reader, tables):
            # Files may be older than a column.
            table = pa.concat_tables(tables, promote_options="default") if tables else pa.table({})
            for name in asked["select"]:
                if tables and name not in table.schema.names:
                    table = table.append_column(name, pa.nulls(table.num_rows))
            lines = rows.lines(columns_of(table.select(asked["select"]))) if tables else []
            found.extend(rows.differences(f"{asked['table']}: {reader}", lines, asked["answers"][0]["rows"]))

        batches = HudiTableBuilder.from_base_uri(asked["table"]).build().read(HudiReadOptions())
        check("hudi-rs", [pa.Table.from_batches([batch]) for batch in batches])
        if daft_lacks(asked["table"]) is None:
            check("daft", [read_daft(asked["table"])])
        files = [os.path.join(asked["table"], name) for name in asked["files"]]
        check("pyarrow", [pq.ParquetFile(file).read() for file in files])
        query = "select * from read_parquet(?, hive_partitioning = false, union_by_name = true)"
        check("duckdb", [connection.sql(query, params=[files]).to_arrow_table()] if files else [])
    return {"differences": found}


def bounds(stats):
    try:
        return str(stats.min), str(stats.max)
    except ValueError:  # nanoseconds do not fit Python's datetime
        return str(stats.min_raw), str(stats.max_raw)


def parquet_info(path):
    file = pq.ParquetFile(path)
    about = file.metadata

    def column(chunk):
        stats = chunk.statistics if chunk.is_stats_set else None
        least, most = bounds(stats) if stats is not None and stats.has_min_max else (None, None)
        return {
            "path": chunk.path_in_schema, "type": chunk.physical_type, "codec": chunk.compression,
            "encodings": list(chunk.encodings), "values": chunk.num_values,
            "compressed": chunk.total_compressed_size, "uncompressed": chunk.total_uncompressed_size,
            "data_page_offset": chunk.data_page_offset, "dictionary_page_offset": chunk.dictionary_page_offset,
            "min": least, "max": most,
            "nulls": stats.null_count if stats is not None and stats.has_null_count else None,
            "column_index": chunk.has_column_index, "offset_index": chunk.has_offset_index,
        }

    def leaf(i):
        c = about.schema.column(i)
        return {"path": c.path, "type": c.physical_type, "logical": str(c.logical_type),
                "converted": c.converted_type, "length": c.length, "max_definition_level": c.max_definition_level,
                "max_repetition_level": c.max_repetition_level}

    groups = [about.row_group(i) for i in range(about.num_row_groups)]
    return {
        "rows": about.num_rows, "created_by": about.created_by, "version": about.format_version,
        "footer_bytes": about.serialized_size,
        "metadata": {k.decode(): v.decode(errors="replace") for k, v in (about.metadata or {}).items()},
        "schema": [{"name": f.name, "type": str(f.type), "nullable": f.nullable} for f in file.schema_arrow],
        "leaves": [leaf(i) for i in range(about.num_columns)],
        "row_groups": [
            {"rows": g.num_rows, "bytes": g.total_byte_size,
             "columns": [column(g.column(i)) for i in range(g.num_columns)]} for g in groups],
    }


def split(text):
    """Parts between commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "<([") - (c in ">)]")
        if c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return parts + [text[start:].strip()]


def type_named(name):
    name = name.strip()
    if m := re.fullmatch(r"decimal(128|256)\((\d+),\s*(-?\d+)\)", name):
        return getattr(pa, "decimal" + m[1])(int(m[2]), int(m[3]))
    if m := re.fullmatch(r"timestamp\[(\w+)(?:,\s*tz=(.+))?\]", name):
        return pa.timestamp(m[1], m[2])
    if m := re.fullmatch(r"fixed_size_binary\[(\d+)\]", name):
        return pa.binary(int(m[1]))
    if m := re.fullmatch(r"list<(.+)>", name):
        return pa.list_(type_named(m[1]))
    if m := re.fullmatch(r"map<(.+)>", name):
        return pa.map_(*map(type_named, split(m[1])))
    if m := re.fullmatch(r"struct<(.+)>", name):
        return pa.struct([(part.partition(":")[0].strip(), type_named(part.partition(":")[2])) for part in split(m[1])])
    return pa.type_for_alias(name)


def value_of(value, kind):
    t = pa.types
    if value is None:
        return None
    if t.is_decimal(kind):
        return decimal.Decimal(str(value))
    if t.is_integer(kind):
        return int(value)
    if t.is_floating(kind):
        return float(value)
    if t.is_date(kind) and isinstance(value, str):
        return datetime.date.fromisoformat(value)
    if t.is_timestamp(kind) and isinstance(value, str):
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00" if kind.tz else ""))
    if t.is_time(kind) and isinstance(value, str):
        return datetime.time.fromisoformat(value)
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        return base64.b64decode(value)
    if t.is_map(kind):
        return [(value_of(k, kind.key_type), value_of(v, kind.item_type)) for k, v in value.items()]
    if t.is_list(kind):
        return [value_of(v, kind.value_type) for v in value]
    if t.is_struct(kind):
        return {f.name: value_of(value.get(f.name), f.type) for f in kind}
    return value


def write_parquet(question):
    options = dict(question.get("options", {}))
    group, metadata = options.pop("row_group_size", None), options.pop("metadata", None)
    kinds = [type_named(c["type"]) for c in question["columns"]]
    schema = pa.schema(
        [pa.field(c["name"], k, c.get("nullable", True)) for c, k in zip(question["columns"], kinds)], metadata)
    arrays = [pa.array([value_of(v, k) for v in c["values"]], k) for c, k in zip(question["columns"], kinds)]
    table = pa.Table.from_arrays(arrays, schema=schema)
    with pq.ParquetWriter(question["out"], schema, **options) as writer:
        writer.write_table(table, group)
    return {"rows": table.num_rows}


FITTING = {
    "delta": {"INT32": "DELTA_BINARY_PACKED", "INT64": "DELTA_BINARY_PACKED", "BYTE_ARRAY": "DELTA_BYTE_ARRAY",
              "FIXED_LEN_BYTE_ARRAY": "DELTA_BYTE_ARRAY", "BOOLEAN": "RLE"},
    "delta-length": {"BYTE_ARRAY": "DELTA_LENGTH_BYTE_ARRAY"},
    "byte-stream-split": {kind: "BYTE_STREAM_SPLIT"
                          for kind in ("INT32", "INT64", "FLOAT", "DOUBLE", "FIXED_LEN_BYTE_ARRAY")},
}


def rewrite_parquet(question):
    """The rows of a Parquet file, written by pyarrow in an encoding."""
    file = pq.ParquetFile(question["file"])
    table, options = file.read(), dict(question.get("options", {}))
    group, encoding = options.pop("row_group_size", None), question["encoding"]
    if encoding != "dictionary":
        fitting = FITTING.get(encoding, {})
        leaves = [file.metadata.schema.column(i) for i in range(file.metadata.num_columns)]
        options["use_dictionary"] = False
        options["column_encoding"] = {leaf.path: fitting.get(leaf.physical_type, "PLAIN") for leaf in leaves}
    with pq.ParquetWriter(question["out"], table.schema, **options) as writer:
        writer.write_table(table, group)
    return {"rows": table.num_rows}


def answer(question):
    do = question["do"]
    if do == "hudi":
        return hudi(question)
    if do == "daft-lacks":
        return {"lacks": daft_lacks(question["table"])}
    if do == "daft":
        return hand_over(read_daft(question["table"], question.get("store")), question)
    if do == "pyarrow":
        file = question["file"].removeprefix("s3://")
        return hand_over(pq.ParquetFile(file, filesystem=files_of(question.get("store"))).read(), question)
    if do == "duckdb":
        file = question["file"].replace("s3://", "bucket://")
        return ask_duckdb("select * from read_parquet(?, hive_partitioning = false)", [file], question)
    if do == "duckdb-query":
        return ask_duckdb(question["query"], [], question)
    if do == "compare":
        return compare(question)
    if do == "parquet-info":
        return parquet_info(question["file"])
    if do == "write-parquet":
        return write_parquet(question)
    if do == "rewrite-parquet":
        return rewrite_parquet(question)
    raise ValueError(f"unknown question {do!r}")


rows.serve(answer, answers, {"ready": True})
