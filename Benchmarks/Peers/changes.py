"""What a Python program makes of a file of change records.

usage: changes.py TASK FILE RECORDS REPEATS ANSWER

TASK is parse (orjson's objects of the lines), deserialize (boto3's values of the new images, too), or transform: the
answers to a delivery stream's transformation events of 500 records each. The least of so many seconds of
processor time goes to the file ANSWER. The task alone is timed: neither the start of the interpreter, nor the reading of the lines, nor the
making of the events.
"""
import base64
import sys
import time

import orjson

task, path, records, repeats, answer = sys.argv[1:]
if task != "parse":
    from boto3.dynamodb.types import TypeDeserializer

    plain = TypeDeserializer().deserialize
EVENT_RECORDS = 500


def lines():
    with open(path, "rb") as file:
        return file.read().splitlines()


def parse(texts):
    for text in texts:
        orjson.loads(text)


def deserialize(texts):
    for text in texts:
        image = orjson.loads(text)["dynamodb"].get("NewImage")
        if image:
            {name: plain(value) for name, value in image.items()}


def event(texts):
    """A transformation event as Firehose sends it."""
    return orjson.dumps(
        {
            "invocationId": "i",
            "deliveryStreamArn": "arn:aws:firehose:eu-central-1:1:deliverystream/s",
            "region": "eu-central-1",
            "records": [
                {
                    "recordId": f"{number:056d}",
                    "approximateArrivalTimestamp": 1705312801000,
                    "data": base64.b64encode(text).decode(),
                }
                for number, text in enumerate(texts)
            ],
        }
    )


def transform(event):
    """The answer: each change as a line of plain JSON, exact numbers as texts."""
    answered = []
    for record in orjson.loads(event)["records"]:
        change = orjson.loads(base64.b64decode(record["data"]))
        body = change["dynamodb"]
        image = body.get("NewImage") or body.get("OldImage") or body["Keys"]
        row = {
            "event_name": change["eventName"],
            "event_id": change["eventID"],
            "event_time": body["ApproximateCreationDateTime"],
            "event_table": change["tableName"],
        }
        row.update((name, plain(value)) for name, value in image.items())
        data = base64.b64encode(orjson.dumps(row, default=str) + b"\n").decode()
        answered.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    return orjson.dumps({"records": answered})


def seconds():
    if task == "transform":
        taken = 0
        waiting = []
        count = 0
        with open(path, "rb") as file:
            for line in file:
                waiting.append(line)
                count += 1
                if len(waiting) < EVENT_RECORDS and count < int(records):
                    continue
                made = event(waiting)
                begin = time.process_time()
                transform(made)
                taken += time.process_time() - begin
                waiting = []
        assert count == int(records), count
        return taken
    texts = lines()
    assert len(texts) == int(records), len(texts)
    begin = time.process_time()
    (parse if task == "parse" else deserialize)(texts)
    return time.process_time() - begin


best = min(seconds() for _ in range(int(repeats)))
with open(answer, "w", encoding="utf-8") as file:
    file.write(str(best))
