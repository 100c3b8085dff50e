"""What adapters in the field do, and DryBox tolerates."""

from __future__ import annotations

from typing import Any

import drybox
import numpy as np
import numpy.typing as npt
from conftest import audio_scenario, byte_scenario

Block = npt.NDArray[np.int16]


class Plain:
    """Mode A without capabilities, timer, init, start or stop."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def poll_link_tx(self, budget: int) -> Any:
        return None

    def on_link_rx(self, sdu: bytes) -> None:
        self.got.append(sdu)


def test_nothing_but_the_two_callbacks() -> None:
    result = drybox.run(byte_scenario(), left=Plain, right=Plain)
    assert any("nade_capabilities" in warning for warning in result.summary["warnings"])


def test_pairs_tuples_and_bytearrays() -> None:
    class Sender(Plain):
        sent = False

        def poll_link_tx(self, budget: int) -> Any:
            if self.sent:
                return []
            self.sent = True
            return (b"one", (b"two", 7), bytearray(b"three"), (bytearray(b"four"), 7))

    scenario = byte_scenario()
    scenario["network"] = {"bearer": "pstn_g711", "loss_rate": 0, "jitter_ms": 0}
    right = Plain()
    drybox.run(scenario, left=Sender, right=right)
    assert right.got == [b"one", b"two", b"three", b"four"]


def test_t_ms_is_passed_where_it_is_asked_for() -> None:
    class Timed:
        def __init__(self) -> None:
            self.seen: list[tuple[str, int]] = []

        def poll_link_tx(self, budget: int, t_ms: int) -> list[bytes]:
            self.seen.append(("poll", t_ms))
            return [b"x"] if t_ms == 20 else []

        def on_link_rx(self, sdu: bytes, now: int) -> None:
            self.seen.append(("rx", now))

    left, right = Timed(), Timed()
    scenario = byte_scenario(500)
    scenario["network"] = {"bearer": "pstn_g711", "loss_rate": 0, "jitter_ms": 0, "latency_ms": 30}
    drybox.run(scenario, left=left, right=right)
    assert ("poll", 10) in left.seen
    assert [t for kind, t in right.seen if kind == "rx"] == [50]


def test_other_names_for_the_audio_callbacks() -> None:
    class Named:
        def __init__(self) -> None:
            self.blocks: list[Block] = []

        def make_tx_block(self, t_ms: int) -> Block:
            return np.full(160, t_ms, np.int16)

        def take_rx_block(self, block: Block, t_ms: int) -> None:
            self.blocks.append(block)

    left, right = Named(), Named()
    scenario = audio_scenario(200)
    scenario["left"] = scenario["right"] = {"modem": {"vocoder": "none"}}
    result = drybox.run(scenario, left=left, right=right)
    assert len(right.blocks) == 11
    assert any("stands in for" in warning for warning in result.summary["warnings"])


def test_pushed_blocks_are_new_and_writable() -> None:
    class Keeper:
        def __init__(self) -> None:
            self.blocks: list[Block] = []
            self.buffer = np.zeros(160, np.int16)

        def pull_tx_block(self) -> Block:
            self.buffer += 1  # the same array each time: DryBox copies it at once
            return self.buffer

        def push_rx_block(self, block: Block) -> None:
            assert block.dtype == np.int16
            assert block.shape == (160,)
            assert block.flags.c_contiguous
            assert block.flags.writeable
            assert block.flags.owndata or block.base is not None
            self.blocks.append(block)
            block += 10_000

    left, right = Keeper(), Keeper()
    scenario = audio_scenario(400)
    scenario["network"] = {"bearer": "pstn_g711", "loss_rate": 0, "jitter_ms": 0, "latency_ms": 0}
    scenario["left"] = scenario["right"] = {"modem": {"vocoder": "none"}}
    drybox.run(scenario, left=left, right=right)
    heard = [int(block[0]) - 10_000 for block in right.blocks]
    assert heard == sorted(heard)
    assert len({id(block) for block in right.blocks}) == len(right.blocks)
    # A stage that is off is absent: what is heard is what was said.
    said = [value for value in heard if value > 0]
    assert said == list(range(1, len(said) + 1))
    assert len(said) >= 15


def test_none_is_silence_with_one_warning() -> None:
    class Mute:
        def pull_tx_block(self) -> None:
            return None

        def push_rx_block(self, block: Block) -> None:
            assert not block.any()

    scenario = audio_scenario(200)
    scenario["left"] = scenario["right"] = {"modem": {"vocoder": "none"}}
    result = drybox.run(scenario, left=Mute, right=Mute)
    assert sum("from pull_tx_block" in w for w in result.summary["warnings"]) == 2


def test_the_older_metrics_object() -> None:
    class Older(Plain):
        def start(self, ctx: Any) -> None:
            assert "metrics" in ctx
            ctx["metrics"].event(t_ms=99, side="X", type="old", payload={"k": b"\x01"})
            ctx["metrics"].metric("rtt", 5)
            ctx.emit_event(typ="typed", payload=None)
            assert ctx["rng"] is ctx.rng
            assert ctx["now_ms"]() == 0
            assert ctx["config"] is ctx.config

    result = drybox.run(byte_scenario(100), left=Older, right=Plain)
    assert [(e["t_ms"], e["side"], e["type"]) for e in result.events] == [
        (0, "L", "old"),
        (0, "L", "metric"),
        (0, "L", "typed"),
    ]
    assert result.events[0]["payload"] == {"k": "01"}


def test_messages_wait_for_both_handshakes() -> None:
    class Messenger(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.out: list[bytes] = []
            self.asked = 0

        def is_handshake_complete(self) -> bool:
            self.asked += 1
            return self.asked > 3

        def send_sdu(self, sdu: bytes) -> None:
            assert type(sdu) is bytes
            self.out.append(sdu)

        def poll_link_tx(self, budget: int) -> Any:
            out, self.out = self.out, []
            return out

    scenario = byte_scenario(2000, messages={"left": [{"text": "héllo", "delay_ms": 0}]})
    scenario["network"] = {"bearer": "pstn_g711", "loss_rate": 0, "jitter_ms": 0}
    left, right = Messenger(), Messenger()
    drybox.run(scenario, left=left, right=right)
    assert right.got == ["héllo".encode()]
    assert left.got == []
    assert left.asked > 3


def test_a_block_at_an_odd_address() -> None:
    class Unaligned:
        def __init__(self) -> None:
            self.blocks: list[Block] = []

        def pull_tx_block(self) -> Block:
            packet = b"\0" + np.arange(160, dtype="<i2").tobytes()
            return np.frombuffer(packet, "<i2", 160, 1)

        def push_rx_block(self, block: Block) -> None:
            self.blocks.append(block)

    scenario = audio_scenario(400)
    scenario["network"] = {"bearer": "pstn_g711", "loss_rate": 0, "jitter_ms": 0, "latency_ms": 0}
    scenario["left"] = scenario["right"] = {"modem": {"vocoder": "none"}}
    right = Unaligned()
    drybox.run(scenario, left=Unaligned, right=right)
    np.testing.assert_array_equal(right.blocks[-1], np.arange(160))


def test_native_adapters_meet_python_ones() -> None:
    result = drybox.run(byte_scenario(), left="native:traffic", right=Plain)
    assert result.summary["adapters"]["left"] == "native:traffic"
    assert result.summary["directions"]["L>R"]["sdus"]["sent"] > 0
