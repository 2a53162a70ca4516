"""One Spark session with Hudi behind a process: questions and answers as in rows.serve.

usage: spark.py BUNDLE.jar

  {"do": "read", "table": P, "options": {..}, "where": "price > 1", "select": ["id"], "out": F}   {"rows": n}
  {"do": "write", "table": P, "from": F, "schema": DDL, "options": {..}, "mode": "append"}        {"done": true}
  {"do": "sql", "query": "call show_commits(path => 'P')"}                                        {"result": [[..]]}
  {"do": "many", "questions": [..]}, some at a time                                               {"done": true}
  {"do": "compare", "tables": [{"table": P, "select": [..], "answers": [{"where": C, "rows": F}]}]}
      reads the tables, some at a time, and compares with the lines of each F                     {"differences": [..]}
`from` is a Parquet file, or a file of JSON lines with its columns in `schema` ("id string, ts bigint").
Options are Hudi's own.
"""
import os
import sys
from concurrent.futures import ThreadPoolExecutor

os.environ["TZ"] = "UTC"
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever Spark prints goes to the log

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

import rows

# What Spark needs opened of the Java modules where it does not start through its own launcher.
OPENED = (
    "java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent "
    "java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar"
).split()
SETTINGS = {
    "spark.jars": sys.argv[1],
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": " ".join(
        ["-Duser.timezone=UTC"] + [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]),
    "spark.kryo.registrator": "org.apache.spark.HoodieSparkKryoRegistrar",
    "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.hudi.catalog.HoodieCatalog",
    "spark.sql.extensions": "org.apache.spark.sql.hudi.HoodieSparkSessionExtension",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.warehouse.dir": os.path.join(os.getcwd(), "warehouse"),
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}

builder = SparkSession.builder.master("local[2]").appName("tarn-tests")
for key, value in SETTINGS.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

PLAIN = {
    T.BooleanType: rows.boolean_text, T.ByteType: str, T.ShortType: str, T.IntegerType: str, T.LongType: str,
    T.FloatType: rows.floating(32), T.DoubleType: rows.floating(64), T.DecimalType: rows.decimal_text,
    T.StringType: rows.quoted, T.BinaryType: rows.binary_text, T.DateType: rows.date_text,
    T.TimestampType: rows.instant("Z"), T.TimestampNTZType: rows.instant(""), T.NullType: str,
}


def text_of(kind):
    if isinstance(kind, T.ArrayType):
        return rows.listing(text_of(kind.elementType))
    if isinstance(kind, T.MapType):
        return rows.mapping(text_of(kind.valueType))
    if isinstance(kind, T.StructType):
        return rows.structure([(f.name, text_of(f.dataType)) for f in kind.fields])
    return PLAIN[type(kind)]


# Planning takes most of the time of small jobs.
pool = ThreadPoolExecutor(3)


def columns_of(schema, collected):
    return [(f.name, text_of(f.dataType), [row[i] for row in collected]) for i, f in enumerate(schema.fields)]


def compare(asked):
    """One job for all conditions."""
    table = spark.read.format("hudi").load(asked["table"]).select(*[f"`{name}`" for name in asked["select"]])
    job, parts = None, asked["answers"]
    for number, part in enumerate(parts):
        found = table if part["where"] is None else table.where(part["where"])
        found = found.withColumn("part number", F.lit(number))
        job = found if job is None else job.unionAll(found)
    collected = job.collect()
    differences = []
    plan = job._jdf.queryExecution().executedPlan().toString()
    if plan.count("ColumnarToRow") < plan.count("FileScan"):
        differences.append(f"{asked['table']}: Spark does not read it vectorised: {plan}")
    for number, part in enumerate(parts):
        lines = rows.lines(columns_of(table.schema, [row for row in collected if row[-1] == number]))
        differences += rows.differences(f"{asked['table']}: Spark where {part['where']}", lines, part["rows"])
    return differences


def answer(question):
    if question["do"] == "many":
        list(pool.map(answer, question["questions"]))
        return {"done": True}
    if question["do"] == "compare":
        spark.catalog.clearCache()
        return {"differences": [line for found in pool.map(compare, question["tables"]) for line in found]}
    if question["do"] == "sql":
        found = spark.sql(question["query"]).collect()
        return {"result": [[None if v is None else str(v) for v in row] for row in found]}
    if question["do"] == "write":
        reader = spark.read.schema(question["schema"]) if "schema" in question else spark.read
        source = reader.json(question["from"]) if "schema" in question else reader.parquet(question["from"])
        writer = source.write.format("hudi").options(**question.get("options", {}))
        writer.mode(question.get("mode", "append")).save(question["table"])
        return {"done": True}
    if question["do"] != "read":
        raise ValueError(f"unknown question {question['do']!r}")
    # A path read before may have been written by others since: nothing cached may answer.
    spark.catalog.clearCache()
    found = spark.read.format("hudi").options(**question.get("options", {})).load(question["table"])
    if "where" in question:
        found = found.where(question["where"])
    if "select" in question:
        found = found.select(*[f"`{name}`" for name in question["select"]])
    return rows.hand_over(columns_of(found.schema, found.collect()), question)


rows.serve(answer, answers, {"ready": True, "spark": spark.version})
pool.shutdown()
spark.stop()
