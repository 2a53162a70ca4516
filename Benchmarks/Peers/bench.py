"""Compares Tarn with its peers, and with itself in large and in old tables; started by Benchmarks/run."""
import argparse
import shutil
import sys

import comparison
import lasting
import remote
from workshop import Failure, Workshop

BENCHMARKS = {
    "peers": (comparison.run, "Tarn and its peers upsert the same batches"),
    "growth": (lasting.growth, "one upsert in tables of 1,000,000 and 16,000,000 rows"),
    "many": (lasting.many, "200 upserts one after another"),
    "memory": (lasting.memory, "an upsert into 16,000,000 rows under a budget"),
    "s3": (remote.run, "upserts and large objects on a local server of S3, beside boto3 and deltalake"),
}


def engines(text):
    names = text.split(",")
    unknown = [name for name in names if name not in comparison.ENGINES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(comparison.ENGINES)}")
    return names


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/run")
    commands = parser.add_subparsers(dest="benchmark", required=True)
    for name, (_, summary) in BENCHMARKS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("--rows", type=positive, help="rows of the (larger) table, instead of the full size")
        command.add_argument("--runs", type=positive, default=3, help="how often each is run (3)")
        # Benchmarks/run fills it in.
        command.add_argument(
            "--tarn", required=True, help="the program to run; by default it is built from the package")
        if name == "peers":
            command.add_argument(
                "--engines", type=engines, default=comparison.ENGINES, metavar="NAME,..",
                help="only these of " + ", ".join(comparison.ENGINES))
    options = parser.parse_args()
    workshop = Workshop(options.tarn)
    try:
        BENCHMARKS[options.benchmark][0](workshop, options)
    except Failure as failure:
        sys.exit(f"Benchmarks/run: {failure}")
    finally:
        shutil.rmtree(workshop.tables, ignore_errors=True)


if __name__ == "__main__":
    main()
