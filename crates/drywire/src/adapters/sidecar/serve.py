"""The sidecar host: serves Python adapters over a pipe (`docs/spec/sidecar.md`).

Sent to the interpreter after `python_host.py`, which it finds as the module `drybox_host`. Its CBOR
is its own because nothing but the standard library may be asked of a user's Python; it is the
subset that the protocol uses, and refuses all else.
"""

import contextlib
import os
import struct
import sys

from drybox_host import (
    BLOCK_SAMPLES,
    DEFAULT_SDU_MAX_BYTES,
    MAX_DEPTH,
    ContractError,
    Endpoint,
    LoadError,
    describe_exception,
)

PROTOCOL_VERSION = 1
MAX_FRAME = 16 << 20

OPEN, INIT, START, ON_TIMER, POLL, RX, PULL, PUSH, HANDSHAKE, SEND, STOP = range(11)
TICK, HELLO = 16, 17
EVENT, SDUS, BLOCK, NOTHING, CAPABILITIES, COMPLETE, WRONG, RAISED, LOAD, CONTRACT, INTERRUPTED = (
    range(11)
)
(
    RESULT_TYPE,
    ITEM_TYPE,
    OVER_BUDGET,
    TOO_LONG,
    BLOCK_TYPE,
    BLOCK_DTYPE,
    BLOCK_SHAPE,
    BLOCK_LAYOUT,
) = range(8)

# A tick request has one form, byte for byte, so that it need not be parsed: length, array of four,
# TICK, time (64 bits), budget (32 bits), pull.
_TICK_FRAME = struct.Struct(">4sHBQBIB")
_TICK_HEAD = 0x8400 | TICK
_NOTHING_HAPPENED = b"\x01\x00\x00\x00\x80"


class Host:
    """Serves the adapters of one process: one request, one reply, until the input ends."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.clock = [0]
        self.sides = [None, None]
        self.limits = [DEFAULT_SDU_MAX_BYTES, DEFAULT_SDU_MAX_BYTES]
        self.reports = []
        self.at = (0, OPEN)
        self.timers, self.polls, self.pulls = (), (), ()

    def serve(self):
        read, write, source, sink = os.read, os.write, self.source, self.sink
        unpack, size = _TICK_FRAME.unpack, _TICK_FRAME.size
        while True:
            data = read(source, 65536)
            if len(data) == size:
                _, head, _, t, _, budget, pull = unpack(data)
                if head == _TICK_HEAD:
                    self.tick(t, budget, pull == 0xF5)
                    if not self.reports:
                        write(sink, _NOTHING_HAPPENED)
                        continue
                    self.reply()
                    continue
            if not data:
                return
            data = self.whole(data)
            if data is None:
                return
            request = decode(data)
            self.answer(request[0], request)
            self.reply()

    def whole(self, data):
        """The body of the frame that `data` begins, or None when the input ends within it."""
        parts = bytearray(data)
        need = 4
        while True:
            if len(parts) >= 4:
                need = 4 + int.from_bytes(parts[:4], "little")
                if need > 4 + MAX_FRAME:
                    raise ValueError(
                        f"a frame of {need - 4} bytes is over the limit of {MAX_FRAME}"
                    )
                if len(parts) == need:
                    return memoryview(parts)[4:]
                if len(parts) > need:
                    raise ValueError("a request came before the reply to the last one")
            more = os.read(self.source, max(65536, need - len(parts)))
            if not more:
                return None
            parts += more

    def reply(self):
        out = bytearray(4)
        encode(self.reports, out)
        if len(out) > 4 + MAX_FRAME:
            side, phase = self.at
            words = f"what it sends in one call is over the limit of {MAX_FRAME} bytes"
            out = bytearray(4)
            encode([[CONTRACT, side, phase, words]], out)
        out[:4] = (len(out) - 4).to_bytes(4, "little")
        self.reports.clear()
        view = memoryview(out)
        while view:
            view = view[os.write(self.sink, view) :]

    def tick(self, t, budget, pull):
        """Timers of both sides, then their polls or pulls, up to the first fault."""
        self.clock[0] = t
        try:
            for side, endpoint, on_timer in self.timers:
                self.at = (side, ON_TIMER)
                on_timer(t)
                if endpoint.events:
                    self.take_events(endpoint)
            if budget:
                for side, endpoint, poll in self.polls:
                    self.at = (side, POLL)
                    sdus = poll(budget)
                    if endpoint.events:
                        self.take_events(endpoint)
                    some = sdus is not None and (type(sdus) is not list or sdus)
                    if some and not self.polled(sdus, budget):
                        return
            if pull:
                for side, endpoint, source in self.pulls:
                    self.at = (side, PULL)
                    if not self.pulled(endpoint, source()):
                        return
        except BaseException as error:
            self.failed(error)

    def answer(self, op, request):
        if op == HELLO:
            if request[1] == PROTOCOL_VERSION:
                version = ".".join(map(str, sys.version_info[:3]))
                self.reports += [HELLO, PROTOCOL_VERSION, f"Python {version}"]
            else:
                self.reports += [HELLO, PROTOCOL_VERSION, "another version"]
            return
        _, t, side, *rest = request
        self.clock[0] = t
        self.at = (side, op)
        endpoint = self.sides[side]
        try:
            if op == OPEN:
                self.open(side, *rest)
            elif op == STOP:
                if endpoint is not None:
                    endpoint.stop()
            else:
                self.call(op, side, endpoint, *rest)
        except BaseException as error:
            self.failed(error)
        else:
            if self.sides[side] is not None:
                self.take_events(self.sides[side])

    def open(self, side, spec, cfg, rng_seed, python_seed):
        endpoint = Endpoint(
            spec,
            cfg,
            self.clock,
            rng_seed=int.from_bytes(rng_seed, "little"),
            python_seed=int.from_bytes(python_seed, "little"),
        )
        self.sides[side] = endpoint
        if cfg["mode"] == "audio":
            global numpy
            try:
                import numpy
            except ImportError as error:
                raise LoadError(
                    f"audio mode needs numpy in this Python ({sys.executable}): {error}"
                ) from None
        both = [
            (side, endpoint) for side, endpoint in enumerate(self.sides) if endpoint is not None
        ]
        self.timers = [(s, e, e.on_timer) for s, e in both if e.on_timer is not None]
        self.polls = [(s, e, e.poll_link_tx) for s, e in both if e.poll_link_tx is not None]
        self.pulls = [(s, e, e.pull_tx_block) for s, e in both if e.pull_tx_block is not None]
        self.reports.append([CAPABILITIES, side, OPEN, endpoint.capabilities])

    def call(self, op, side, endpoint, *rest):
        if op == RX:
            for sdu in rest[0]:
                endpoint.on_link_rx(sdu)
                if endpoint.events:
                    self.take_events(endpoint)
        elif op == PUSH:
            # A copy: the adapter may keep it and write to it.
            endpoint.push_rx_block(numpy.frombuffer(rest[0], numpy.int16).copy())
        elif op == POLL:
            sdus = endpoint.poll_link_tx(rest[0])
            self.take_events(endpoint)
            if sdus is not None:
                self.polled(sdus, rest[0])
        elif op == PULL:
            self.pulled(endpoint, endpoint.pull_tx_block())
        elif op == ON_TIMER:
            endpoint.on_timer(self.clock[0])
        elif op == HANDSHAKE:
            ask = endpoint.is_handshake_complete
            self.reports.append([COMPLETE, side, HANDSHAKE, None if ask is None else bool(ask())])
        elif op == SEND:
            endpoint.send_sdu(rest[0])
        elif op == INIT:
            endpoint.init(rest[0])
            self.limits[side] = endpoint.cfg["sdu_max_bytes"]
        elif op == START:
            endpoint.start()
        else:
            raise ContractError(f"unknown request {op}")

    def polled(self, sdus, budget):
        """Reports what a poll returned; False if it is not what the interface asks for."""
        if not isinstance(sdus, (list, tuple)):
            return self.wrong(RESULT_TYPE, type(sdus).__name__)
        if len(sdus) > budget:
            return self.wrong(OVER_BUDGET, len(sdus))
        limit = self.limits[self.at[0]]
        plain_sdus = []
        for index, sdu in enumerate(sdus):
            if isinstance(sdu, tuple) and len(sdu) == 2:
                sdu = sdu[0]
            if not isinstance(sdu, (bytes, bytearray, memoryview)):
                return self.wrong(ITEM_TYPE, index, type(sdu).__name__)
            sdu = bytes(sdu)
            if len(sdu) > limit:
                return self.wrong(TOO_LONG, index, len(sdu))
            plain_sdus.append(sdu)
        self.reports.append([SDUS, *self.at, plain_sdus])
        return True

    def pulled(self, endpoint, block):
        """Reports the block that a pull returned, likewise."""
        if endpoint.events:
            self.take_events(endpoint)
        if block is None:
            self.reports.append([NOTHING, *self.at])
            return True
        if not isinstance(block, numpy.ndarray):
            return self.wrong(BLOCK_TYPE, type(block).__name__)
        if block.dtype != numpy.int16:
            return self.wrong(BLOCK_DTYPE, str(block.dtype))
        if block.shape != (BLOCK_SAMPLES,):
            return self.wrong(BLOCK_SHAPE, list(block.shape))
        if not block.flags.c_contiguous:
            return self.wrong(BLOCK_LAYOUT)
        self.reports.append([BLOCK, *self.at, block.tobytes()])
        return True

    def wrong(self, code, *details):
        self.reports.append([WRONG, *self.at, code, *details])
        return False

    def take_events(self, endpoint):
        self.reports += [[EVENT, *self.at, kind, payload] for kind, payload in endpoint.events]
        endpoint.events.clear()

    def failed(self, error):
        """Reports an exception, after the events that came before it."""
        endpoint = self.sides[self.at[0]]
        if endpoint is not None:
            self.take_events(endpoint)
        if isinstance(error, LoadError):
            self.reports.append([LOAD, *self.at, str(error)])
        elif isinstance(error, ContractError):
            self.reports.append([CONTRACT, *self.at, str(error)])
        elif isinstance(error, KeyboardInterrupt):
            self.reports.append([INTERRUPTED, *self.at])
        else:
            self.reports.append([RAISED, *self.at, *describe_exception(error)])


# --- CBOR: the subset that the sidecar protocol uses ---------------------------------------------


def encode(value, out):
    """Appends `value` to the bytearray `out` as CBOR: definite lengths, 64-bit floats, no tags."""
    kind = type(value)
    if kind is str:
        text = value.encode()
        _head(0x60, len(text), out)
        out += text
    elif kind is bool or value is None:
        out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
    elif kind is int:
        _head(0x00, value, out) if value >= 0 else _head(0x20, -1 - value, out)
    elif kind is float:
        out.append(0xFB)
        out += struct.pack(">d", value)
    elif kind is bytes:
        _head(0x40, len(value), out)
        out += value
    elif kind is dict:
        _head(0xA0, len(value), out)
        for key, item in value.items():
            encode(key, out)
            encode(item, out)
    else:
        _head(0x80, len(value), out)
        for item in value:
            encode(item, out)


def _head(major, number, out):
    if number < 24:
        out.append(major | number)
    elif number < 1 << 8:
        out += struct.pack(">BB", major | 24, number)
    elif number < 1 << 16:
        out += struct.pack(">BH", major | 25, number)
    elif number < 1 << 32:
        out += struct.pack(">BI", major | 26, number)
    else:
        out += struct.pack(">BQ", major | 27, number)


def decode(data):
    """The one CBOR item that `data` consists of; anything else is a ValueError."""
    try:
        value, end = _item(data, 0, 0)
    except (IndexError, struct.error):
        raise ValueError("the item is cut short") from None
    if end != len(data):
        raise ValueError("bytes follow the item")
    return value


_WIDTHS = {
    24: struct.Struct(">B"),
    25: struct.Struct(">H"),
    26: struct.Struct(">I"),
    27: struct.Struct(">Q"),
}
_SIMPLE = {20: False, 21: True, 22: None}


def _item(data, at, depth):
    first = data[at]
    at += 1
    major, number = first >> 5, first & 31
    if major == 7:
        if number == 27:
            return struct.unpack_from(">d", data, at)[0], at + 8
        if number in _SIMPLE:
            return _SIMPLE[number], at
        raise ValueError(f"unexpected byte {first:#04x}")
    if number >= 24:
        if number not in _WIDTHS:
            raise ValueError(f"unexpected byte {first:#04x}")
        width = _WIDTHS[number]
        (number,) = width.unpack_from(data, at)
        at += width.size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major == 6 or depth > 2 * MAX_DEPTH:
        raise ValueError("tags and deeper nesting are not part of the protocol")
    # Every element takes a byte at least: a count beyond the input is refused before any work.
    if number > len(data) - at:
        raise ValueError("the item is cut short")
    if major == 2:
        return bytes(data[at : at + number]), at + number
    if major == 3:
        return str(data[at : at + number], "utf-8"), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _item(data, at, depth + 1)
            items.append(item)
        return items, at
    fields = {}
    for _ in range(number):
        key, at = _item(data, at, depth + 1)
        fields[key], at = _item(data, at, depth + 1)
    return fields, at


# --- Start ---------------------------------------------------------------------------------------


def main():
    # The protocol moves to descriptors of its own: whatever the adapters or their children print
    # goes to stderr, and whatever they read is empty.
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    # When DryBox is gone, so is our reason to be.
    with contextlib.suppress(BrokenPipeError):
        Host(source, sink).serve()


main()
