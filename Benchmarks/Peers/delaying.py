"""A proxy before a server of S3 that delays each request, and notes it: delaying.py HOST PORT OWN-PORT SECONDS LOG READY.

Once it listens, it makes the file READY. To LOG goes a line of JSON for each request when its answer has
gone: when its first byte came and its last went, in seconds; method and path; bytes of the bodies each way; and what
it had the server copy. It runs until it is ended.
"""
import asyncio
import json
import os
import sys
import time

HOST, PORT, OWN, DELAY, LOG, READY = (
    kind(word) for kind, word in zip((str, int, int, float, str, str), sys.argv[1:]))
LIMIT = 1 << 20


def parsed(head):
    """The first line of a head, and its headers by their lower-case names."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, found, value = line.partition(":")
        if found:
            headers[name.strip().lower()] = value.strip()
    return first, headers


async def passed_on(source, target, headers):
    """Passes a body on as it comes, and gives its length."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        total = 0
        while True:
            line = await source.readuntil(b"\r\n")
            count = int(line.split(b";")[0], 16)
            target.write(line + await source.readexactly(count + 2))
            await target.drain()
            total += count
            if count == 0:
                return total
    left = total = int(headers.get("content-length", 0))
    while left:
        some = await source.read(min(left, LIMIT))
        if not some:
            raise ConnectionError
        target.write(some)
        await target.drain()
        left -= len(some)
    return total


async def converse(client, back, log):
    """Serves one connection, by one of its own to the server."""
    server, forth = await asyncio.open_connection(HOST, PORT, limit=LIMIT)
    try:
        while True:
            head = await client.readuntil(b"\r\n\r\n")
            begin = time.monotonic()
            await asyncio.sleep(DELAY)
            first, headers = parsed(head)
            method, path, _ = first.split(" ", 2)
            forth.write(head)
            if headers.get("expect", "").lower() == "100-continue":
                back.write(await server.readuntil(b"\r\n\r\n"))
            up = await passed_on(client, forth, headers)
            await forth.drain()
            answer = await server.readuntil(b"\r\n\r\n")
            line, found = parsed(answer)
            status = int(line.split(" ")[1])
            back.write(answer)
            has_body = method != "HEAD" and status not in (204, 304)
            down = await passed_on(server, back, found if has_body else {})
            await back.drain()
            entry = {
                "begin": begin, "end": time.monotonic(), "method": method, "path": path, "status": status,
                "up": up, "down": down, "source": headers.get("x-amz-copy-source"),
                "range": headers.get("x-amz-copy-source-range") or headers.get("range"),
            }
            log.write(json.dumps(entry) + "\n")
            log.flush()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        for writer in (back, forth):
            writer.close()


async def main():
    with open(LOG, "w", encoding="utf-8") as log:
        server = await asyncio.start_server(
            lambda client, back: converse(client, back, log), "127.0.0.1", OWN, limit=LIMIT)
        os.close(os.open(READY, os.O_WRONLY | os.O_CREAT))
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
