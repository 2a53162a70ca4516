"""Sections of the file of results, and their tables."""
import datetime
import os
import re

from workshop import here, machine

PATH = os.path.join(os.path.dirname(here), "RESULTS.md")
HEAD = """# Results

Written by `Benchmarks/run peers`, `growth`, `many`, `memory` and `s3`, each of which replaces its own section. Medians; MB are 10^6 bytes; memory is the peak of a whole process.
"""


def table(head, rows):
    """A table in Markdown."""
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def seconds(value):
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"


def at_least(found, bound):
    return f"{found:.2f}x of {bound:g}x, {'reached' if found >= bound else '**missed**'}"


def at_most(found, bound, unit="x"):
    return f"{found:.2f}{unit} of at most {bound:g}{unit}, {'reached' if found <= bound else '**missed**'}"


def publish(name, title, text, keeps):
    """Prints a section, and puts it into the file of results where it is of full size."""
    # The day of the file's making; no time is measured with it.
    today = datetime.date.today().isoformat()
    section = f"## {name}: {title}\n\n{today}; {machine()}\n\n{text}"
    print("\n" + section)
    if not keeps:
        return print("(not of full size, so not put into RESULTS.md)")
    try:
        with open(PATH, encoding="utf-8") as file:
            sections = re.split(r"(?m)^(?=## )", file.read())[1:]
    except FileNotFoundError:
        sections = []
    order = ["peers", "growth", "many", "memory", "s3"]
    kept = {part[3:].split(":")[0]: part.rstrip() + "\n" for part in sections} | {name: section.rstrip() + "\n"}
    with open(PATH, "w", encoding="utf-8") as file:
        names = [name for name in order if name in kept] + [name for name in kept if name not in order]
        file.write("\n".join([HEAD] + [kept[name] for name in names]))
    print(f"(in {os.path.basename(PATH)})")
