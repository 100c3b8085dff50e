"""PingPong: the reference adapter of Mode A (`docs/spec/adapters.md`, section 7.1).

A three-message handshake, signed with the keys of `cfg["crypto"]` as the appendix of the adapter
interface says, then a ping each second from either side. `native:pingpong` speaks the same
protocol.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SYN, SYNACK, ACK = b"PPv1|SYN|", b"PPv1|SYNACK|", b"PPv1|ACK|"
# Lengths tell the messages of the handshake apart from one another and from the rest.
HELLO_LEN, ACK_LEN = 8 + 64, 64
QUEUE = 256
MAX_REFUSED = 5
MAX_RETRY_MS = 4000


def nade_capabilities() -> dict[str, Any]:
    """What the adapter announces (users' document, section 2.1)."""
    return {"abi_version": "1.0", "bytelink": True, "audioblock": False, "sdu_max_bytes": 1024}


class Adapter:
    """One end of the handshake; the left side opens it."""

    def __init__(self, cfg: dict[str, Any]) -> None:
        self.side = cfg["side"]
        self.crypto = cfg.get("crypto")
        if self.crypto:
            # Only where there are keys: without them no extension module is needed.
            from drybox.crypto import ed25519_sign, ed25519_verify

            self._ed25519_sign, self._ed25519_verify = ed25519_sign, ed25519_verify
        self.retry_ms = int(cfg.get("retry_ms", 500))
        self.ping_ms = int(cfg.get("ping_ms", 1000))
        self.hs_timeout_ms = int(cfg.get("hs_timeout_ms", 10_000))
        self.state = "opening"
        self.nonce = self.peer_nonce = b""
        self.queue: deque[bytes] = deque()
        self.next_retry = self.next_ping = 0
        self.backoff = self.retry_ms
        self.pings = self.refused = 0

    def start(self, ctx: Any) -> None:
        """The run begins: draws this side's nonce."""
        self.ctx = ctx
        self.nonce = ctx.rng.getrandbits(64).to_bytes(8, "little")
        if self.crypto:
            public = {k: self.crypto[k] for k in ("key_id", "peer_key_id", "pub", "peer_pub")}
            ctx.emit_event("crypto_info", public)

    def on_timer(self, t_ms: int) -> None:
        """Sends what is due: a message of the handshake again, or a ping."""
        if self.state in ("opening", "answering"):
            if t_ms >= self.hs_timeout_ms:
                self._fail("bad signature" if self.refused else "timeout")
            elif t_ms >= self.next_retry and (self.side == "L" or self.state == "answering"):
                self._push_syn() if self.side == "L" else self._push_synack()
                self.next_retry = t_ms + self.backoff
                self.backoff = min(2 * self.backoff, max(MAX_RETRY_MS, self.retry_ms))
        elif self.state == "done" and t_ms >= self.next_ping:
            self._push(b"PING %d %d" % (self.pings, t_ms))
            self.pings += 1
            self.next_ping += self.ping_ms

    def poll_link_tx(self, budget: int) -> list[bytes]:
        """The oldest waiting SDUs, `budget` at most."""
        return [self.queue.popleft() for _ in range(min(budget, len(self.queue)))]

    def on_link_rx(self, sdu: bytes) -> None:
        """Takes an SDU in whatever order they arrive."""
        if len(sdu) == HELLO_LEN:
            self._on_hello(sdu[:8], sdu[8:])
        elif len(sdu) == ACK_LEN:
            self._on_ack(sdu)
        else:
            self._on_text(sdu)

    def is_handshake_complete(self) -> bool:
        """Whether this side has seen a genuine message of the last step."""
        return self.state == "done"

    def send_sdu(self, text: bytes) -> None:
        """Sends a scripted text message."""
        self._push(b"TEXT " + text)

    def _sign(self, message: bytes) -> bytes:
        return self._ed25519_sign(self.crypto["priv"], message) if self.crypto else bytes(64)

    def _is_genuine(self, message: bytes, signature: bytes) -> bool:
        if not self.crypto:
            return signature == bytes(64)
        return self._ed25519_verify(self.crypto["peer_pub"], message, signature)

    def _push(self, message: bytes) -> None:
        # A bounded queue, as the interface asks: what does not fit is dropped.
        if len(self.queue) < QUEUE:
            self.queue.append(message)

    def _push_syn(self) -> None:
        self._push(self.nonce + self._sign(SYN + self.nonce))

    def _push_synack(self) -> None:
        self._push(self.nonce + self._sign(SYNACK + self.peer_nonce + self.nonce))

    def _on_hello(self, nonce: bytes, signature: bytes) -> None:
        """A SYN at the right side, a SYNACK at the left one."""
        if self.side == "R" and self.state in ("opening", "answering"):
            if not self._is_genuine(SYN + nonce, signature):
                self._refuse()
                return
            self.peer_nonce = nonce
            self.state = "answering"
            self.next_retry = self.ctx.now_ms() + self.backoff
            self._push_synack()
        elif self.side == "L" and self.state in ("opening", "done"):
            if not self._is_genuine(SYNACK + self.nonce + nonce, signature):
                self._refuse()
                return
            self.peer_nonce = nonce
            # A SYNACK after the end means that the ACK was lost.
            self._push(self._sign(ACK + self.nonce + nonce))
            if self.state != "done":
                self._finish()

    def _on_ack(self, signature: bytes) -> None:
        if self.state == "answering":
            if self._is_genuine(ACK + self.peer_nonce + self.nonce, signature):
                self._finish()
            else:
                self._refuse()

    def _on_text(self, sdu: bytes) -> None:
        if sdu.startswith(b"PING "):
            self._push(b"PONG " + sdu[5:])
        elif sdu.startswith(b"PONG "):
            try:
                seq, sent = map(int, sdu[5:].split(b" "))
            except ValueError:
                return  # damaged on the way
            rtt = max(0, self.ctx.now_ms() - sent)
            self.ctx.emit_event("pong_rx", {"seq": seq, "rtt_ms": rtt})
        elif sdu.startswith(b"TEXT "):
            self.ctx.emit_event("text_rx", {"text": sdu[5:].decode(errors="replace")})

    def _finish(self) -> None:
        now = self.ctx.now_ms()
        self.state = "done"
        self.next_ping = now + self.ping_ms
        auth = "ok" if self.crypto else "none"
        self.ctx.emit_event("hs_done", {"auth": auth, "time_ms": now})

    def _fail(self, reason: str) -> None:
        self.state = "failed"
        self.ctx.emit_event("hs_fail", {"reason": reason, "time_ms": self.ctx.now_ms()})

    def _refuse(self) -> None:
        """A wrong signature may be a damaged copy: several of them are a wrong key."""
        self.refused += 1
        if self.refused == MAX_REFUSED and self.state != "done":
            self._fail("bad signature")
