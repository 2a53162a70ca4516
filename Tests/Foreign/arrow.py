"""Arrow's tables in the text form of rows.py."""
import pyarrow as pa

import rows


def text_of(kind):
    t = pa.types
    if t.is_boolean(kind):
        return rows.boolean_text
    if t.is_integer(kind):
        return str
    if t.is_floating(kind):
        return rows.floating(64 if kind.bit_width == 64 else 32)
    if t.is_decimal(kind):
        return rows.decimal_text
    if t.is_date(kind):
        return rows.date_text
    if t.is_time(kind):
        return rows.time_text
    if t.is_timestamp(kind):
        return rows.instant("Z" if kind.tz else "", kind.unit)
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind):
        return rows.quoted
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind) or t.is_binary_view(kind):
        return rows.binary_text
    if t.is_map(kind):
        return rows.mapping(text_of(kind.item_type))
    if t.is_list(kind) or t.is_large_list(kind):
        return rows.listing(text_of(kind.value_type))
    if t.is_struct(kind):
        return rows.structure([(kind.field(i).name, text_of(kind.field(i).type)) for i in range(kind.num_fields)])
    if t.is_dictionary(kind):
        return text_of(kind.value_type)
    if t.is_null(kind):
        return str
    raise TypeError(f"no text form for {kind}")


def values_of(column):
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_pylist()


def columns_of(table):
    return [(f.name, text_of(f.type), values_of(table.column(i))) for i, f in enumerate(table.schema)]


def hand_over(table, question):
    if "select" in question:
        table = table.select(question["select"])
    return rows.hand_over(columns_of(table), question)
