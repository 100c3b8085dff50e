"""STT from Python beside `drywire bench`, in turns over loopback; rows of docs/performance.md.

python.py DRYWIRE [--quick] [PART-OF-A-ROW'S-NAME]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import statistics
import subprocess
import time
import timeit

from seigr_toolset_transmissions import STTNode
from seigr_toolset_transmissions.frame import STTFrame

CHUNK = 64 << 10
SINK = 1  # what the first byte of a stream asks of `drywire listen --bench`


class Listener:
    """`drywire listen --bench`, which takes whatever either of them sends."""

    def __init__(self, drywire: str, seed: bytes) -> None:
        self.environment = os.environ | {"DRYWIRE_SEED": f"stt-seed:{seed.hex()}"}
        self.process = subprocess.Popen(
            [drywire, "listen", "127.0.0.1:0", "--bench", "--keep", "--json"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self.process.stderr
        self.address: str = json.loads(self.process.stderr.readline())["listening"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def by_the_command(drywire: str, listener: Listener, mib: int) -> float:
    """MB/s that the command sends."""
    printed = subprocess.run(
        [drywire, "bench", listener.address, f"--mib={mib}", "--round-trips=1", "--json"],
        env=listener.environment,
        check=True,
        capture_output=True,
    )
    return float(json.loads(printed.stdout)["sent_mb_per_s"])


async def from_python(listener: Listener, seed: bytes, mib: int) -> float:
    """MB/s that Python sends."""
    host, port = listener.address.rsplit(":", 1)
    total, chunk = mib << 20, b"\x5a" * CHUNK
    async with STTNode(secrets.token_bytes(32), seed, "127.0.0.1", 0) as node:
        session = await node.connect_udp(host, int(port))
        stream = await session.open_stream()
        await stream.write(bytes([SINK]) + total.to_bytes(8, "big"))
        began = time.perf_counter()
        for _ in range(total // CHUNK):
            await stream.write(chunk)
        stream.finish()
        await stream.read_to_end()
        took = time.perf_counter() - began
        await session.close()
    return total / took / 1e6


def bulk(drywire: str, mib: int, rounds: int) -> None:
    seed = secrets.token_bytes(32)
    listener = Listener(drywire, seed)
    commands, pythons = [], []
    try:
        for _ in range(rounds):
            commands.append(by_the_command(drywire, listener, mib))
            pythons.append(asyncio.run(from_python(listener, seed, mib)))
    finally:
        listener.stop()
    ours, peer = statistics.median(pythons), statistics.median(commands)
    row(
        "bulk from Python, writes of 64 KiB; peer: the same by `drywire bench`",
        f"{ours / 1e3:.3f} GB/s",
        f"{peer / 1e3:.3f} GB/s",
        f"{ours / peer:.2f}",
        "≥ 0.7",
        holds=ours / peer >= 0.7,
    )


def frames(rounds: int) -> None:
    frame = STTFrame(0x80, bytes(8), 1, 2, 0, bytes(64))
    encoded = frame.to_bytes()
    for name, call in (
        ("encode", frame.to_bytes),
        ("decode", lambda: STTFrame.from_bytes(encoded)),
    ):
        took = min(timeit.repeat(call, number=100_000, repeat=rounds)) * 10
        name = f"{name} a frame of 64 B in Python"
        row(name, f"{took:.2f} µs", "", "", "≤ 2 µs", holds=took <= 2)


def row(name: str, ours: str, peer: str, ratio: str, bound: str, *, holds: bool) -> None:
    verdict = "holds" if holds else "MISSED"
    print(f"| {name} | {ours} | {peer} | {ratio} | {bound} | {verdict} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drywire")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("part", nargs="?", default="")
    chosen = parser.parse_intermixed_args()
    if chosen.part in "bulk from Python":
        bulk(chosen.drywire, 128 if chosen.quick else 1024, 1 if chosen.quick else 3)
    if chosen.part in "encode and decode a frame":
        frames(1 if chosen.quick else 5)


if __name__ == "__main__":
    main()
