#!/usr/bin/env python3
"""A DryBox adapter that needs nothing of DryBox: the sidecar protocol by hand.

Run it as `cmd:python3 examples/sidecar/echo.py`. It sends back whatever it receives and, every
second, a greeting of its own. The protocol is `docs/spec/sidecar.md`; the little CBOR below is all
of it that an adapter of Mode A needs, so this file can be carried over to any language.
"""

import sys

OPEN, TICK, POLL, RX, HELLO = 0, 16, 4, 5, 17
EVENT, SDUS, CAPABILITIES = 0, 1, 4
LINK_RX = 5


def encode(value):
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    code, size = next((c, s) for c, s in ((24, 1), (25, 2), (26, 4), (27, 8)) if n < 1 << 8 * s)
    return bytes([major << 5 | code]) + n.to_bytes(size, "big")


def decode(data, at=0):
    major, n = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        # False, true, null; else a double, which this adapter has no use for.
        return ({20: False, 21: True}.get(n), at + 8 * (n == 27))
    if n >= 24:
        size = 1 << n - 24
        n, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major < 2:
        return (-1 - n if major else n), at
    if major < 4:
        part = data[at : at + n]
        return (part if major == 2 else part.decode()), at + n
    items = []
    for _ in range(n * (major - 3)):
        item, at = decode(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at


def frames(stream):
    while True:
        size = stream.read(4)
        if len(size) < 4:
            return  # DryBox closed the pipe: the end
        yield decode(stream.read(int.from_bytes(size, "little")))[0]


side, queue = 0, []


def answer(request):
    """The reports that one request is answered with."""
    global side
    op = request[0]
    if op == HELLO:
        return [HELLO, 1, "echo"]
    if op == OPEN:
        side = request[2]
        return [[CAPABILITIES, side, OPEN, {"abi_version": "1.0", "bytelink": True}]]
    if op == RX:
        queue.extend(request[3])
        return [[EVENT, side, LINK_RX, "echoed", {"bytes": len(sdu)}] for sdu in request[3]]
    if op in (TICK, POLL):
        t_ms, budget = (request[1], request[2]) if op == TICK else (request[1], request[3])
        if op == TICK and t_ms % 1000 == 0:
            queue.append(b"hello")
        out, queue[:] = queue[:budget], queue[budget:]
        return [[SDUS, side, POLL, out]] if out else []
    return []


for message in frames(sys.stdin.buffer):
    body = encode(answer(message))
    sys.stdout.buffer.write(len(body).to_bytes(4, "little") + body)
    sys.stdout.buffer.flush()
