"""The one text form of a row that all engines' answers are brought to, so that they compare as text.

A row is a JSON object on one line, columns in order, nulls written, no blanks: decimals as strings, floats
in their shortest round-trip form, "NaN", "Infinity", "-Infinity"; instants as ISO 8601 with microseconds
and Z, timestamps without zone the same without Z, dates YYYY-MM-DD, times HH:MM:SS.ffffff, binary as
base64, lists as arrays, structs and maps as objects.
"""
import base64
import datetime
import json
import math
import struct
import sys

quoted = json.encoder.encode_basestring
EPOCH = datetime.datetime(1970, 1, 1)
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def decimal_text(value):
    return f'"{value:f}"'


def floating(bits):
    """Shortest digits that give the number back; an exponent where the integer part is no longer exact."""
    widest_plain = 2.0**24 if bits == 32 else 2.0**53

    def text(value):
        if math.isnan(value):
            return '"NaN"'
        if math.isinf(value):
            return '"Infinity"' if value > 0 else '"-Infinity"'
        if value == 0:
            return "-0.0" if math.copysign(1, value) < 0 else "0.0"
        short = repr(value) if bits == 64 else shortest_single(value)
        if 1e-4 <= abs(value) <= widest_plain and "e" not in short:
            return short
        mantissa, _, exponent = short.partition("e")
        sign, mantissa = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
        whole, _, fraction = mantissa.partition(".")
        digits = (whole + fraction).lstrip("0")
        exponent = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
        digits = digits.rstrip("0")
        if 1e-4 <= abs(value) <= widest_plain:
            return sign + plain(digits, exponent)
        tail = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{exponent:+03d}"

    return text


def plain(digits, exponent):
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return whole + "." + (digits[exponent + 1 :] or "0")


def shortest_single(value):
    for digits in range(6 if abs(value) >= 1.2e-38 else 1, 10):
        text = f"{value:.{digits - 1}e}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            break
    return repr(float(text)) if "e" in text else text


def date_text(value):
    return f'"{value.isoformat()}"'


def time_text(value):
    return f'"{value.isoformat(timespec="microseconds")}"'


def instant(zone, unit="us"):
    """From a datetime, or from a count of units since 1970, which is exact down to nanoseconds."""
    per_second = UNITS[unit]

    def text(value):
        below = ""
        if isinstance(value, int):
            seconds, rest = divmod(value, per_second)
            rest = rest * (1_000_000_000 // per_second)
            micros, nanos = divmod(rest, 1000)
            below = f"{nanos:03d}" if nanos else ""
            value = EPOCH + datetime.timedelta(seconds=seconds, microseconds=micros)
        elif value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return f'"{value.isoformat(timespec="microseconds")}{below}{zone}"'

    return text


def binary_text(value):
    return '"' + base64.b64encode(bytes(value)).decode() + '"'


def listing(element):
    element = nullable(element)
    return lambda value: "[" + ",".join(map(element, value)) + "]"


def mapping(item):
    item = nullable(item)

    def text(value):
        pairs = value.items() if isinstance(value, dict) else value
        return "{" + ",".join(quoted(str(k)) + ":" + item(v) for k, v in pairs) + "}"

    return text


def structure(fields):
    fields = [(name, quoted(name), nullable(text)) for name, text in fields]
    return lambda value: "{" + ",".join(q + ":" + text(value[name]) for name, q, text in fields) + "}"


def nullable(text):
    return lambda value: "null" if value is None else text(value)


def boolean_text(value):
    return "true" if value else "false"


def lines(columns):
    """Rows as sorted lines. `columns` holds (name, text of a value, values)."""
    parts = [[quoted(name) + ":" + text(v) for v in values] for name, text, values in
             ((n, nullable(t), v) for n, t, v in columns)]
    return sorted("{" + ",".join(row) + "}" for row in zip(*parts))


def hand_over(columns, question):
    """Writes the rows where the question wants them; the answer is their number."""
    found = lines(columns)
    with open(question["out"], "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in found)
    return {"rows": len(found)}


def differences(what, found, expected):
    """What differs between sorted lines and those of a file, in a line or none."""
    with open(expected, encoding="utf-8", newline="\n") as file:
        wanted = file.read().split("\n")[:-1]
    if found == wanted:
        return []
    extra, lacking = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    return [f"{what}: {len(found)} rows, expected {len(wanted)}; only there {extra[:3]}; only expected {lacking[:3]}"]


def serve(answer, answers, ready):
    """One JSON question a line on standard input, one JSON answer a line on `answers`, until input ends."""

    def say(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    say(ready)
    for line in sys.stdin:
        if line.strip():
            try:
                say(answer(json.loads(line)))
            except BaseException as error:  # an engine's panic too is an answer, and the session goes on
                if isinstance(error, KeyboardInterrupt):
                    raise
                say({"error": causes(error)})


def causes(error):
    chain, java = [], getattr(error, "java_exception", None)
    while java is not None and len(chain) < 8:
        chain.append(str(java.toString())[:400])
        java = java.getCause()
    return " <- ".join(chain) or f"{type(error).__name__}: {error}"[:2000]
