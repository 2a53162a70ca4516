"""Changes items of a table in moto, an emulator of DynamoDB, and keeps what its stream and its
table then say.

usage: emulator.py FOLDER SEED CHANGES

FOLDER/answers.jsonl has the answers of GetRecords as they went over the wire, one a line; FOLDER/items.jsonl the items
that are left, as lines of a full export.
"""

import json
import logging
import random
import sys
import time

import boto3
from moto.server import ThreadedMotoServer

TABLE = "Orders"


def value(rng, depth=0):
    """An attribute value of any type, as it goes over the wire."""
    kind = rng.choice(["S", "N", "B", "BOOL", "NULL", "SS", "NS"] + ([] if depth > 2 else ["M", "L"]))
    if kind == "S":
        return {"S": rng.choice(["", "plain", 'quo"te\\', "line\nend", "h\u00e9llo \U0001f600"])}
    if kind == "N":
        return {"N": rng.choice(["0", "-17", "3.25", "12345678901234567890123456789012345678", "1E-130"])}
    if kind == "B":
        return {"B": rng.randbytes(rng.randrange(1, 9))}
    if kind == "BOOL":
        return {"BOOL": rng.random() < 0.5}
    if kind == "NULL":
        return {"NULL": True}
    if kind == "SS":
        return {"SS": sorted({rng.choice("abcdef") for _ in range(3)})}
    if kind == "NS":
        return {"NS": sorted({str(rng.randrange(100)) for _ in range(3)})}
    if kind == "M":
        return {"M": {name: value(rng, depth + 1) for name in rng.sample("abc", rng.randrange(3))}}
    return {"L": [value(rng, depth + 1) for _ in range(rng.randrange(3))]}


def change(client, rng):
    """Puts, updates or deletes one of some items."""
    key = {"pk": {"S": f"customer#{rng.randrange(8)}"}, "sk": {"N": str(rng.randrange(4))}}
    what = rng.random()
    if what < 0.25:
        client.delete_item(TableName=TABLE, Key=key)
    elif what < 0.5:
        client.update_item(
            TableName=TABLE, Key=key, UpdateExpression="SET #n = :n",
            ExpressionAttributeNames={"#n": "count"}, ExpressionAttributeValues={":n": {"N": str(rng.randrange(99))}})
    else:
        names = rng.sample(["text", "total", "mixed", "a-b"], 2)
        item = {name: value(rng) if name == "mixed" else {"S": rng.choice("xyz")} for name in names}
        if "total" in item:
            item["total"] = {"N": f"{rng.randrange(1000)}.{rng.randrange(10)}5"}
        client.put_item(TableName=TABLE, Item={**key, **item})


def main(folder, seed, changes):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        run(server.get_host_and_port(), folder, seed, changes)
    finally:
        server.stop()


def run(place, folder, seed, changes):
    rng = random.Random(seed)
    settings = {
        "endpoint_url": f"http://{place[0]}:{place[1]}", "region_name": "us-east-1", "aws_access_key_id": "none",
        "aws_secret_access_key": "none"}
    client = boto3.client("dynamodb", **settings)
    streams = boto3.client("dynamodbstreams", **settings)
    table = client.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    bodies = []

    def keep(response_dict, **_):
        bodies.append(json.loads(response_dict["body"]))

    streams.meta.events.register("before-parse.dynamodbstreams.GetRecords", keep)
    client.meta.events.register("before-parse.dynamodb.Scan", keep)
    for _ in range(changes):
        change(client, rng)
        # The emulator's times are of a millisecond.
        time.sleep(0.003)
    arn = table["TableDescription"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while iterator:
        answer = streams.get_records(ShardIterator=iterator, Limit=50)
        iterator = answer.get("NextShardIterator") if answer["Records"] else None
    with open(f"{folder}/answers.jsonl", "w", encoding="utf-8") as out:
        for body in bodies:
            out.write(json.dumps(body, ensure_ascii=False) + "\n")
    bodies.clear()
    client.scan(TableName=TABLE)
    with open(f"{folder}/items.jsonl", "w", encoding="utf-8") as out:
        for item in bodies[0]["Items"]:
            out.write(json.dumps({"Item": item}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
