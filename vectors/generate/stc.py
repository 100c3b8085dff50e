"""The STC suite a second time, after docs/spec/stt-crypto.md, to make vectors/stc/.

    pip install -r vectors/generate/requirements.txt
    python vectors/generate/stc.py            writes the files
    python vectors/generate/stc.py --check    compares them with what is there

Noise comes from the library `noiseprotocol`, AEADs, X25519 and Argon2id from `cryptography`,
BLAKE3 from `blake3`, HKDF, SHA-256 and SHA3-256 from Python's standard library.
"""

import argparse
import hashlib
import hmac
import json
import struct
import sys
import warnings
from pathlib import Path

from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from noise.connection import Keypair, NoiseConnection

# The library warns that ephemeral keys are fixed, which is the point here.
warnings.filterwarnings("ignore", module="noise")

TARGET = Path(__file__).resolve().parent.parent / "stc"


# Section 1: notation.


def sha256(data):
    """SHA-256."""
    return hashlib.sha256(data).digest()


def extract(salt, ikm):
    """RFC 5869, section 2.2."""
    return hmac.new(salt, ikm, hashlib.sha256).digest()


def expand(prk, label, context=b"", length=32):
    """Expand of section 1.2, over RFC 5869, section 2.3."""
    info = bytes([len(label)]) + label + context
    out, block = b"", b""
    for i in range(1, 1 + (length + 31) // 32):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:length]


def keyed(key, *parts):
    """BLAKE3 of section 1.3."""
    return blake3(b"".join(parts), key=key).digest()


def sample_bytes(name, length):
    """Bytes that look random, the same in every run."""
    out = b""
    while len(out) < length:
        out += sha256(f"{name} {len(out)}".encode())
    return out[:length]


# Sections 3 and 4: seeds and identity.


def root_of(seed):
    """Section 3.2."""
    if len(seed) < 32:
        seed = Argon2id(
            salt=b"stc short seed 1", length=32, iterations=2, lanes=1, memory_cost=19456
        ).derive(seed)
    return extract(b"stc root v1", seed)


def public_of(private):
    """Section 4.2."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


# XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03, section 2.


def hchacha20(key, nonce):
    """A subkey from 16 bytes of nonce."""
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    state += struct.unpack("<8I", key) + struct.unpack("<4I", nonce)

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


def xseal(key, nonce, aad, text):
    """Ciphertext and tag."""
    subkey = hchacha20(key, nonce[:16])
    return ChaCha20Poly1305(subkey).encrypt(bytes(4) + nonce[16:], text, aad)


# Vectors of the draft, so that what is above is known to be right.
assert (
    hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")).hex()
    == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
)


def hexed(value):
    """The same with bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: hexed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hexed(item) for item in value]
    return value


def noise_case(pattern, number, prologue, payloads):
    """A handshake of the library, with the keys of sections 9.5 and 10.1."""
    with_static = pattern == "IXpsk0"
    name = f"Noise_{pattern}_25519_ChaChaPoly_SHA256".encode()
    keys = {
        key: sample_bytes(f"noise {pattern} {number} {key}", 32)
        for key in ("psk", "initiator_static", "responder_static", "initiator_e", "responder_e")
    }
    sides = {}
    for side in ("initiator", "responder"):
        noise = NoiseConnection.from_name(name)
        noise.set_psks(psk=keys["psk"])
        noise.set_prologue(prologue)
        noise.set_as_initiator() if side == "initiator" else noise.set_as_responder()
        if with_static:
            noise.set_keypair_from_private_bytes(Keypair.STATIC, keys[f"{side}_static"])
        noise.set_keypair_from_private_bytes(Keypair.EPHEMERAL, keys[f"{side}_e"])
        noise.start_handshake()
        sides[side] = noise
    initiator, responder = sides["initiator"], sides["responder"]
    first = bytes(initiator.write_message(payloads[0]))
    assert responder.read_message(first) == payloads[0]
    second = bytes(responder.write_message(payloads[1]))
    assert initiator.read_message(second) == payloads[1]
    protocol = initiator.noise_protocol
    k1, k2 = protocol.cipher_state_encrypt.k, protocol.cipher_state_decrypt.k
    h = bytes(protocol.handshake_hash)
    if not with_static:
        del keys["initiator_static"], keys["responder_static"]
    exp = expand(extract(h, k1 + k2), b"stt exp")
    return {
        "pattern": pattern,
        "prologue": prologue,
        **keys,
        "payload1": payloads[0],
        "payload2": payloads[1],
        "message1": first,
        "message2": second,
        "h": h,
        "k1": k1,
        "k2": k2,
        "exp": exp,
        "session_key": expand(exp, b"stt session key"),
        "session_id": expand(exp, b"stt session id", length=8),
        "resumption": expand(exp, b"stt resumption"),
    }


def noise():
    """Section 9."""
    cases = []
    lengths = [(0, 0), (15, 18), (1, 0), (0, 300), (64, 64), (1200, 1400)]
    for pattern in ("IXpsk0", "NNpsk0"):
        for number, (there, back) in enumerate(lengths):
            prologue = b"" if number == 2 else b"STT\x01\x01\x04" + sample_bytes(number, 4)
            payloads = [sample_bytes("offer", there), sample_bytes("answer", back)]
            cases.append(noise_case(pattern, number, prologue, payloads))
    return {
        "about": "Handshakes of docs/spec/stt-crypto.md, 9 and 10.1, made with noiseprotocol.",
        "cases": cases,
    }


def kdf():
    """Sections 3, 4, 6 and 10."""
    seeds = []
    lengths = [1, 8, 31, 32, 33, 64, 1000]
    for number, length in enumerate(lengths):
        seed = sample_bytes(f"seed {number}", length)
        root = root_of(seed)
        identity = sample_bytes("identity", 5 * number)
        private = expand(root, b"stc node", identity)
        psk = expand(root, b"stt psk")
        resumption = sample_bytes(f"resumption {number}", 32)
        context = sample_bytes("context", 11 * number)
        session = expand(root, b"stc session", context)
        nonce = sample_bytes("nonce", 4 * number)
        seeds.append(
            {
                "seed": seed,
                "short": length < 32,
                "root": root,
                "hash_key": expand(root, b"stc hash"),
                "frame_key": expand(root, b"stc frame", b"\x01"),
                "identity": identity,
                "node_private": private,
                "node_public": public_of(private),
                "node_id": hashlib.sha3_256(public_of(private)).digest(),
                "reset_key": expand(root, b"stt reset", identity),
                "psk": psk,
                "cookie_key": expand(root, b"stt cookie"),
                "resumption": resumption,
                "resumed_psk": expand(extract(psk, resumption), b"stt resume"),
                "session_context": context,
                "session_key": session,
                "rotation_nonce": nonce,
                "rotated_key": expand(extract(nonce, session), b"stc rotate"),
            }
        )
    exports = []
    for number in range(4):
        h, k1, k2 = (sample_bytes(f"{name} {number}", 32) for name in ("h", "k1", "k2"))
        label = sample_bytes("label", [0, 7, 32, 255][number])
        context = sample_bytes("export", [0, 0, 5, 100][number])
        exp = expand(extract(h, k1 + k2), b"stt exp")
        exports.append(
            {
                "h": h,
                "k1": k1,
                "k2": k2,
                "exp": exp,
                "label": label,
                "context": context,
                "key": expand(exp, b"stt export", bytes([len(label)]) + label + context),
            }
        )
    return {
        "about": "Derivations of docs/spec/stt-crypto.md, sections 3, 4, 6 and 10.",
        "seeds": seeds,
        "exports": exports,
    }


def mask(aead, hp, sample):
    """Section 11.3."""
    if aead == 1:
        return Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(sample)[:5]
    # The library's nonce is the block counter and the nonce proper, as in the sample.
    return Cipher(algorithms.ChaCha20(hp, sample), None).encryptor().update(bytes(5))


def packet():
    """Section 11."""
    cases = []
    numbers = [0, 1, 255, 2**32 - 1, 2**32, 2**62 - 1]
    for aead, cipher in ((1, AESGCM), (2, ChaCha20Poly1305)):
        secret = sample_bytes(f"traffic {aead}", 32)
        for phase in range(3):
            traffic = secret
            for _ in range(phase):
                traffic = expand(traffic, b"stt ku")
            aad_of_aead = bytes([aead])
            key = expand(traffic, b"stt key", aad_of_aead)
            iv = expand(traffic, b"stt iv", aad_of_aead, 12)
            hp = expand(secret, b"stt hp", aad_of_aead)
            packets = []
            for index, number in enumerate(numbers):
                nonce = bytes(a ^ b for a, b in zip(iv, bytes(4) + number.to_bytes(8, "big")))
                aad = sample_bytes("header", 3 + index)
                payload = sample_bytes("payload", [0, 1, 16, 100, 1200, 40][index])
                sample = sample_bytes(f"sample {aead} {phase} {index}", 16)
                packets.append(
                    {
                        "number": str(number),
                        "aad": aad,
                        "payload": payload,
                        "sealed": cipher(key).encrypt(nonce, payload, aad),
                        "sample": sample,
                        "mask": mask(aead, hp, sample),
                    }
                )
            cases.append(
                {
                    "aead": aead,
                    "first_secret": secret,
                    "updates": phase,
                    "secret": traffic,
                    "key": key,
                    "iv": iv,
                    "hp": hp,
                    "packets": packets,
                }
            )
    return {"about": "Packets of docs/spec/stt-crypto.md, section 11.", "cases": cases}


def wrapper():
    """Sections 5, 7, 8, 12 and 13."""
    seed = sample_bytes("wrapper seed", 32)
    root = root_of(seed)
    hashes, frames, streams, cookies, tokens = [], [], [], [], []
    lengths = [(0, 0), (0, 1), (5, 0), (5, 64), (300, 5000)]
    for number, (context_len, data_len) in enumerate(lengths):
        context, data = sample_bytes("context", context_len), sample_bytes("data", data_len)
        digest = keyed(expand(root, b"stc hash"), struct.pack(">Q", context_len), context, data)
        hashes.append({"context": context, "data": data, "hash": digest})

        nonce = sample_bytes(f"frame nonce {number}", 24)
        sealed = xseal(expand(root, b"stc frame", b"\x01"), nonce, b"\x01" + context, data)
        frames.append(
            {
                "payload": data,
                "associated": context,
                "metadata": b"\x01" + nonce,
                "encrypted": sealed,
            }
        )

        icid, e = sample_bytes("icid", 4 + number), sample_bytes(f"e {number}", 32)
        path = sample_bytes("path", 10 * number)
        secret = sample_bytes(f"cookie secret {number}", 32)
        cookie = keyed(secret, bytes([len(path)]), path, bytes([len(icid)]), icid, e)[:16]
        cookie_nonce = sample_bytes(f"cookie nonce {number}", 24)
        cookies.append(
            {
                "secret": secret,
                "path": path,
                "icid": icid,
                "e": e,
                "cookie": cookie,
                "nonce": cookie_nonce,
                "sealed": xseal(expand(root, b"stt cookie"), cookie_nonce, e, cookie),
            }
        )

        wire_id = sample_bytes("wire id", 1 + number)
        reset_key = expand(root, b"stt reset", b"node")
        tokens.append({"wire_id": wire_id, "token": keyed(reset_key, wire_id)[:16]})

    for session_len, stream_id in [(8, 0), (8, 1), (0, 2**64 - 1), (255, 2**32)]:
        session_id = sample_bytes("session id", session_len)
        salt = sample_bytes(f"salt {session_len} {stream_id}", 16)
        context_key = expand(
            root,
            b"stc stream",
            bytes([session_len]) + session_id + struct.pack(">Q", stream_id),
        )
        key = expand(extract(salt, context_key), b"stc segment")
        segments = []
        for number, length in enumerate([0, 1, 1400]):
            text, flags = sample_bytes("segment", length), bytes([number == 2])
            nonce = bytes(4) + struct.pack(">Q", number)
            sealed = ChaCha20Poly1305(key).encrypt(nonce, text, flags)
            segments.append({"plaintext": text, "segment": salt + flags + sealed})
        streams.append(
            {
                "session_id": session_id,
                "stream_id": str(stream_id),
                "salt": salt,
                "segments": segments,
            }
        )
    return {
        "about": "What a seed seals or hashes: docs/spec/stt-crypto.md, sections 5, 7, 8, 12, 13.",
        "seed": seed,
        "identity": b"node",
        "hashes": hashes,
        "frames": frames,
        "streams": streams,
        "cookies": cookies,
        "tokens": tokens,
    }


def main():
    """Writes or compares the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    wrong = []
    for make in (noise, kdf, packet, wrapper):
        text = json.dumps(hexed(make()), indent=1) + "\n"
        file = TARGET / f"{make.__name__}.json"
        if not check:
            file.write_text(text, encoding="utf-8", newline="\n")
        elif file.read_text(encoding="utf-8") != text:
            wrong.append(file.name)
    if wrong:
        sys.exit(f"differ from what this script computes: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
