"""What is done with objects of S3 beside Tarn, by boto3 and by delta-rs: objects.py TASK ARGUMENT... ANSWER.

The seconds of the operation alone go to the file ANSWER as JSON, without imports and the making of a client. The
server and its keys come from the usual variables of the environment.
"""
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

BUCKET = "benchmarks"
AT_ONCE = 8
LARGE = "objects/large"


def client():
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3", config=Config(
            s3={"addressing_style": "path"}, max_pool_connections=32,
            request_checksum_calculation="when_required", response_checksum_validation="when_required"))


def listed(store, prefix):
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"], entry["Size"]


def each(work, values):
    """Does the work for all values, some at once; the first error is this one's."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, values))


class Content:
    """So many bytes of random content, as a stream."""

    def __init__(self, count):
        self.step, self.left = os.urandom(1 << 20), count

    def read(self, count=-1):
        count = self.left if count < 0 else min(count, self.left)
        self.left -= count
        return (self.step * (count // len(self.step) + 1))[:count]


# Tasks: each gives its seconds, or takes those of the call.


def bucket():
    client().create_bucket(Bucket=BUCKET)


def replace(source, target):
    """Makes one prefix hold what another does, by copies on the server."""
    store = client()
    remove_all(store, target)
    each(
        lambda key: store.copy_object(
            Bucket=BUCKET, Key=target + key[len(source) :], CopySource={"Bucket": BUCKET, "Key": key}),
        [key for key, _ in listed(store, source)])


def remove(prefix):
    remove_all(client(), prefix)


def remove_all(store, prefix):
    each(lambda key: store.delete_object(Bucket=BUCKET, Key=key), [key for key, _ in listed(store, prefix)])


def fetch(prefix, folder):
    """Downloads what is under a prefix."""
    store = client()
    for key, _ in listed(store, prefix):
        path = os.path.join(folder, key[len(prefix) :])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        store.download_file(BUCKET, key, path)


def retell(key, old, new):
    """Lets a head say of another address of the server what was tried at this one."""
    store = client()
    head = store.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    store.put_object(Bucket=BUCKET, Key=key, Body=head.replace(old.encode(), new.encode()))


def sizes(prefix, answer):
    """Keys and sizes under a prefix, as JSON."""
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(dict(listed(client(), prefix)), file)


def floor(plan):
    """Copies ranges of objects into new ones by the server, some at once; the plan is JSON: [[source, begin, end]].

    Each range becomes an object of its own, as by an upload of one part.
    """
    store = client()
    with open(plan, encoding="utf-8") as file:
        ranges = json.load(file)

    def copy(numbered):
        number, (key, begin, end) = numbered
        target = f"floor/{number}"
        upload = store.create_multipart_upload(Bucket=BUCKET, Key=target)["UploadId"]
        part = store.upload_part_copy(
            Bucket=BUCKET, Key=target, UploadId=upload, PartNumber=1,
            CopySource={"Bucket": BUCKET, "Key": key}, CopySourceRange=f"bytes={begin}-{end - 1}")
        parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
        store.complete_multipart_upload(
            Bucket=BUCKET, Key=target, UploadId=upload, MultipartUpload={"Parts": parts})

    begin = time.perf_counter()
    each(copy, enumerate(ranges))
    seconds = time.perf_counter() - begin
    remove_all(store, "floor/")
    return seconds


def read(count):
    store = client()
    with open(os.devnull, "wb") as nothing:
        begin = time.perf_counter()
        store.download_fileobj(BUCKET, LARGE, nothing)
        return time.perf_counter() - begin


def write(count):
    store = client()
    content = Content(int(count))
    begin = time.perf_counter()
    store.upload_fileobj(content, BUCKET, LARGE)
    return time.perf_counter() - begin


def delta():
    from engines import DeltaLake

    return DeltaLake({
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL_S3"], "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false", "aws_conditional_put": "etag",
    })


def delta_load(table, rows):
    delta().load(table, rows)


def delta_upsert(table, batch):
    lake = delta()
    begin = time.perf_counter()
    lake.upsert(table, batch)
    return time.perf_counter() - begin


TASKS = {
    "bucket": bucket, "replace": replace, "retell": retell, "remove": remove, "fetch": fetch, "floor": floor, "read": read,
    "write": write, "delta-load": delta_load, "delta-upsert": delta_upsert,
}


def main():
    task, *arguments, answer = sys.argv[1:]
    if task == "sizes":
        return sizes(*arguments, answer)
    begin = time.perf_counter()
    seconds = TASKS[task](*arguments)
    with open(answer, "w", encoding="utf-8") as file:
        json.dump({"seconds": time.perf_counter() - begin if seconds is None else seconds}, file)


if __name__ == "__main__":
    main()
