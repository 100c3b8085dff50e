"""A sidecar that answers by script: `hello HEX`, then one `;`-separated answer for each request.

An answer is the hex of a reply's body, or `exit`, `half` (of a frame), `kill`, `two HEX`, `raw HEX`.
"""

import os
import signal
import sys

source, sink = sys.stdin.buffer, sys.stdout.buffer
GREETING = bytes.fromhex("82 11 01")


def read():
    size = source.read(4)
    if len(size) < 4:
        sys.exit(0)
    source.read(int.from_bytes(size, "little"))


def write(body, times=1):
    sink.write((len(body).to_bytes(4, "little") + body) * times)
    sink.flush()


read()
script = [answer.strip() for answer in sys.argv[1].split(";")]
if script[0].startswith("hello "):
    write(bytes.fromhex(script.pop(0)[6:]))
else:
    write(GREETING)
for answer in script:
    read()
    word, _, rest = answer.partition(" ")
    if word == "exit":
        print("bye", file=sys.stderr)
        sys.exit(5)
    elif word == "half":
        sink.write(b"\x10\x00\x00\x00\x80")
        sink.flush()
        sys.exit(6)
    elif word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "two":
        write(bytes.fromhex(rest), 2)
    elif word == "raw":
        sink.write(bytes.fromhex(rest))
        sink.flush()
    else:
        write(bytes.fromhex(answer))
while True:
    read()
