"""STT's handshake a second time, after its page, to make vectors/stt/handshake.json.

pip install -r vectors/generate/requirements.txt
python vectors/generate/stt_handshake.py            writes the file
python vectors/generate/stt_handshake.py --check    compares it with what is there
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from noise.connection import Keypair, NoiseConnection
from stc import (
    expand,
    extract,
    hexed,
    keyed,
    mask,
    public_of,
    root_of,
    sample_bytes,
    xseal,
)

TARGET = Path(__file__).resolve().parent.parent / "stt" / "handshake.json"

SHARED_SEED = sample_bytes("shared seed", 32)
NODE_SEEDS = {side: sample_bytes(f"{side} seed", 32) for side in ("initiator", "responder")}
IDENTITY = b"node"
PSK = expand(root_of(SHARED_SEED), b"stt psk")


def static_of(side):
    """The private key of a node."""
    return expand(root_of(NODE_SEEDS[side]), b"stc node", IDENTITY)


def node_id(side):
    """SHA3-256 of its public key."""
    return hashlib.sha3_256(public_of(static_of(side))).digest()


def exported(exp, label, context=b""):
    """An export of stt-crypto, section 10."""
    return expand(exp, b"stt export", bytes([len(label)]) + label + context)


def handshake(name, suite, psk, offer, answer, aead, ticket=b""):
    """HELLO, HELLO_RESP and the first sealed packet, with all keys on the way."""
    icid = sample_bytes(f"{name} icid", 4)
    scalars = {side: sample_bytes(f"{name} {side} e", 32) for side in NODE_SEEDS}
    version = 1
    prologue = b"STT" + bytes([version, suite, len(icid)]) + icid + ticket
    pattern = "IXpsk0" if suite == 1 else "NNpsk0"
    sides = {}
    for side in ("initiator", "responder"):
        noise = NoiseConnection.from_name(f"Noise_{pattern}_25519_ChaChaPoly_SHA256".encode())
        noise.set_psks(psk=psk)
        noise.set_prologue(prologue)
        noise.set_as_initiator() if side == "initiator" else noise.set_as_responder()
        if suite == 1:
            noise.set_keypair_from_private_bytes(Keypair.STATIC, static_of(side))
        noise.set_keypair_from_private_bytes(Keypair.EPHEMERAL, scalars[side])
        noise.start_handshake()
        sides[side] = noise
    message1 = bytes(sides["initiator"].write_message(offer))
    assert sides["responder"].read_message(message1) == offer
    message2 = bytes(sides["responder"].write_message(answer))
    assert sides["initiator"].read_message(message2) == answer
    hello = bytes([1, version, suite, len(icid)]) + icid + b"\x00" + ticket + message1

    protocol = sides["initiator"].noise_protocol
    h = bytes(protocol.handshake_hash)
    k1, k2 = protocol.cipher_state_encrypt.k, protocol.cipher_state_decrypt.k
    exp = expand(extract(h, k1 + k2), b"stt exp")
    return {
        "name": name,
        "suite": suite,
        "icid": icid,
        "initiator_e": scalars["initiator"],
        "responder_e": scalars["responder"],
        "ticket": ticket,
        "psk": psk,
        "prologue": prologue,
        "offer": offer,
        "hello": hello,
        "answer": answer,
        "response": b"\x02" + icid + message2,
        "aead": aead,
        "h": h,
        "k1": k1,
        "k2": k2,
        "exp": exp,
        "session_key": expand(exp, b"stt session key"),
        "session_id": expand(exp, b"stt session id", length=8),
        "confirm": exported(exp, b"stt confirm"),
        "next_ticket": exported(exp, b"stt ticket id")[:16],
        "next_resumption": expand(exp, b"stt resumption"),
        "first": first_packet(k1, aead, answer[2 : 2 + answer[1]]),
    }


def first_packet(secret, aead, wire_id):
    """PING with packet number 0, from the initiator."""
    context = bytes([aead])
    key, iv = expand(secret, b"stt key", context), expand(secret, b"stt iv", context, 12)
    header = b"\x80" + wire_id + b"\x00"
    cipher = (AESGCM if aead == 1 else ChaCha20Poly1305)(key)
    sealed = cipher.encrypt(iv, b"\x01\x00\x00", header)
    sample = sealed[3 : 3 + 16]
    hidden = mask(aead, expand(secret, b"stt hp", context), sample)
    return (
        bytes([header[0] ^ hidden[0] & 0x1F]) + wire_id + bytes([header[-1] ^ hidden[1]]) + sealed
    )


def cookie(hello):
    """The COOKIE for a HELLO, and the HELLO that follows."""
    secret, path = sample_bytes("cookie secret", 32), b"path"
    icid, e = hello[4:8], hello[9:41]
    value = keyed(secret, bytes([len(path)]), path, bytes([len(icid)]), icid, e)[:16]
    nonce = sample_bytes("cookie nonce", 24)
    sealed = xseal(expand(root_of(SHARED_SEED), b"stt cookie"), nonce, e, value)
    return {
        "secret": secret,
        "path": path,
        "cookie": value,
        "nonce": nonce,
        "packet": b"\x03" + icid + nonce + sealed,
        "hello": hello[:8] + bytes([len(value)]) + value + hello[9:],
    }


def build():
    """The whole file."""
    wire_ids = [sample_bytes(f"wire id {number}", 4) for number in range(6)]
    own_id = [b"\x01\x04" + wire_id for wire_id in wire_ids]
    plain = handshake("plain", 1, PSK, own_id[0], own_id[1], 1)
    limits = b"\x03\x07" + bytes.fromhex("60887818144024")
    offer = own_id[2] + b"\x02\x02\x02\x01" + limits
    answer = own_id[3] + b"\x02\x01\x02" + limits
    stated = handshake("stated", 1, PSK, offer, answer, 2)
    psk = expand(extract(PSK, plain["next_resumption"]), b"stt resume")
    resumed = handshake("resumed", 2, psk, own_id[4], own_id[5], 1, plain["next_ticket"])
    return {
        "about": "Handshakes of docs/spec/stt-handshake.md, made with noiseprotocol.",
        "shared_seed": SHARED_SEED,
        "initiator_seed": NODE_SEEDS["initiator"],
        "responder_seed": NODE_SEEDS["responder"],
        "identity": IDENTITY,
        "initiator_node_id": node_id("initiator"),
        "responder_node_id": node_id("responder"),
        "cases": [plain, stated, resumed],
        "cookie": cookie(plain["hello"]),
        "versions": b"\x04" + plain["icid"] + bytes([1, 1, 1, 2]),
    }


def main():
    """Writes or compares the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    text = json.dumps(hexed(build()), indent=1) + "\n"
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8", newline="\n")
    elif TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"differs from what this script computes: {TARGET.name}")


if __name__ == "__main__":
    main()
