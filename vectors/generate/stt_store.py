"""STT's storage a second time, after docs/spec/stt-store.md, to make vectors/stt-store/.

pip install -r vectors/generate/requirements.txt
python vectors/generate/stt_store.py            writes the files
python vectors/generate/stt_store.py --check    compares them with what is there
"""

import argparse
import hashlib
import json
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from stc import expand, extract, hexed, keyed, root_of, sample_bytes, xseal

TARGET = Path(__file__).resolve().parent.parent / "stt-store"

CHUNK = 65536
INLINE_MAX = 65536


# Section 1: keys.


def storage_keys(seed):
    """Section 1.1, the upper half of the table."""
    storage = expand(root_of(seed), b"stc storage")
    return {
        "storage": storage,
        "index": expand(storage, b"stc store index"),
        "manifest": expand(storage, b"stc store manifest"),
        "object": expand(storage, b"stc store object"),
    }


def chamber_keys(seed, node_id):
    """Section 1.1, the lower half."""
    chamber = expand(root_of(seed), b"stc chamber", node_id)
    return {
        "chamber": chamber,
        "name": expand(chamber, b"stc chamber name"),
        "value": expand(chamber, b"stc chamber value"),
    }


def seal_chunk(key, salt, number, last, aad, text):
    """Section 1.2."""
    chunk_key = expand(extract(salt, key), b"stc store chunks")
    nonce = bytes(3) + struct.pack(">Q", number) + bytes([last])
    return AESGCM(chunk_key).encrypt(nonce, text, aad)


# Sections 3 to 6: the files of a store.


def sha3(data):
    """Section 2.1."""
    return hashlib.sha3_256(data).digest()


def mark(keys, salt):
    """Section 4."""
    start = b"STK\x01"
    return start + salt + seal_chunk(keys["manifest"], salt, 0, True, start, b"")


def manifest(keys, salt, address, size, kind, rest):
    """Section 5: the file's name, and the file."""
    start = b"STM\x01"
    name = keyed(keys["index"], address)
    text = bytes([kind]) + address + struct.pack(">Q", size) + rest
    sealed = seal_chunk(keys["manifest"], salt, 0, True, start + name, text)
    return f"index/{name.hex()}", start + salt + sealed


def blob(keys, salt, blob_id, data):
    """Section 6: the file's name, and the file."""
    pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    aad = b"\x01" + blob_id
    sealed = [
        seal_chunk(keys["object"], salt, number, number == len(pieces) - 1, aad, piece)
        for number, piece in enumerate(pieces)
    ]
    return f"blobs/{blob_id.hex()}", b"".join(sealed)


def pattern(length):
    """Bytes that the other side can make as well."""
    return bytes((167 * i + 13 * (i >> 8)) & 255 for i in range(length))


def store():
    """A whole store, and the random bytes in the order in which it draws them."""
    seed = sample_bytes("store seed", 32)
    keys = storage_keys(seed)
    drawn = []

    def draw(length):
        drawn.append(sample_bytes(f"drawn {len(drawn)}", length))
        return drawn[-1]

    files = {"store": mark(keys, draw(32))}
    objects = []
    for length in (0, 5, 1000, 65537):
        data = pattern(length)
        address = sha3(data)
        if length <= INLINE_MAX:
            kind, rest = 0, data
        else:
            salt, blob_id = draw(32), draw(16)
            path, sealed = blob(keys, salt, blob_id, data)
            files[path] = sealed
            kind, rest = 1, b"\x01\x10" + salt + blob_id
        path, sealed = manifest(keys, draw(32), address, length, kind, rest)
        files[path] = sealed
        objects.append({"length": length, "address": address})
    return {
        "about": "A store (docs/spec/stt-store.md). Byte i of objects: 167 i + 13 (i div 256).",
        "seed": seed,
        "drawn": b"".join(drawn),
        "objects": objects,
        "files": dict(sorted(files.items())),
    }


def keys():
    """Sections 1 and 14.1: what names and chunks are under which keys."""
    cases = []
    for number, length in enumerate((5, 32, 64)):
        seed = sample_bytes(f"store seed {number}", length)
        node_id = sample_bytes(f"node id {number}", 32)
        of_store, of_chamber = storage_keys(seed), chamber_keys(seed, node_id)
        addresses = [sample_bytes(f"address {i}", 32) for i in range(3)]
        names = [(1, b""), (1, b"key"), (2, b"key"), (3, bytes(range(256))), (1, "é/../☃".encode())]
        chunks = []
        for which in ("manifest", "object"):
            for i, (n, last) in enumerate(((0, True), (0, False), (1, True), (2**40, False))):
                salt, aad = sample_bytes(f"salt {i}", 32), sample_bytes("aad", 9 * i)
                text = sample_bytes("text", (0, 1, 16, 100)[i])
                chunks.append(
                    {
                        "key": which,
                        "salt": salt,
                        "number": str(n),
                        "last": last,
                        "aad": aad,
                        "plaintext": text,
                        "sealed": seal_chunk(of_store[which], salt, n, last, aad, text),
                    }
                )
        cases.append(
            {
                "seed": seed,
                "store": of_store,
                "names": [{"address": a, "name": keyed(of_store["index"], a)} for a in addresses],
                "chunks": chunks,
                "node_id": node_id,
                "chamber": of_chamber,
                "slots": [
                    {"kind": k, "name": n, "slot": keyed(of_chamber["name"], bytes([k]), n)}
                    for k, n in names
                ],
            }
        )
    return {
        "about": "Keys, names and chunks of docs/spec/stt-store.md, 1 and 14.1.",
        "cases": cases,
    }


def chamber():
    """Section 14: the mark and entries of every kind."""
    seed, node_id = sample_bytes("chamber seed", 32), sample_bytes("chamber node", 32)
    of_chamber = chamber_keys(seed, node_id)

    def record(number, kind, name, value, expiry, slot):
        nonce = sample_bytes(f"chamber nonce {number}", 24)
        text = struct.pack(">QH", expiry, len(name)) + name + value
        aad = bytes([1, kind]) + slot
        return {
            "kind": kind,
            "name": name,
            "value": value,
            "expiry": str(expiry),
            "slot": slot,
            "nonce": nonce,
            "sealed": nonce + xseal(of_chamber["value"], nonce, aad, text),
        }

    entries = [
        (1, b"", b"", 0),
        (1, b"key", sample_bytes("value", 32), 0),
        (1, "ключ \U0001f511 ../..".encode(), sample_bytes("value", 1000), 0),
        (2, b"session", sample_bytes("session", 77), 0),
        (3, sample_bytes("ticket", 16), sample_bytes("ticket value", 77), 1_800_000_000_000),
    ]
    records = [
        record(i, kind, name, value, expiry, keyed(of_chamber["name"], bytes([kind]), name))
        for i, (kind, name, value, expiry) in enumerate(entries)
    ]
    return {
        "about": "The mark and entries of a chamber: docs/spec/stt-store.md, section 14.",
        "seed": seed,
        "node_id": node_id,
        "mark": record("mark", 0, b"", b"", 0, bytes(32)),
        "entries": records,
    }


def main():
    """Writes or compares the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    wrong = []
    for make in (keys, store, chamber):
        text = json.dumps(hexed(make()), indent=1) + "\n"
        file = TARGET / f"{make.__name__}.json"
        if not check:
            TARGET.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            wrong.append(file.name)
    if wrong:
        sys.exit(f"differ from what this script computes: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
