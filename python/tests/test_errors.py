"""Every way in which an adapter fails is a clear endpoint error, in process."""

from __future__ import annotations

import pathlib
from typing import Any

import drybox
import pytest
from conftest import WriteAdapter, audio_scenario, byte_scenario

BYTE = """
    class Adapter:
        def nade_capabilities(self):
            return {"abi_version": "1.0", "bytelink": True, "audioblock": False}
        def on_timer(self, t_ms): pass
        def poll_link_tx(self, budget): return []
        def on_link_rx(self, sdu): pass
"""
AUDIO = """
    import numpy as np
    class Adapter:
        def nade_capabilities(self):
            return {"abi_version": "1.0", "bytelink": False, "audioblock": True}
        def pull_tx_block(self): return np.zeros(160, np.int16)
        def push_rx_block(self, block): pass
"""


def fails(scenario: dict[str, Any], adapter: str, good: str) -> drybox.EndpointError:
    with pytest.raises(drybox.EndpointError) as error:
        drybox.run(scenario, left=good, right=adapter)
    assert error.value.exit_code == 3
    assert error.value.side == "R"
    assert error.value.callback in str(error.value)
    assert "right adapter" in str(error.value)
    return error.value


@pytest.mark.parametrize(
    ("method", "callback", "t_ms"),
    [
        ("def __init__(self): raise ValueError('bang')", "load", 0),
        ("def nade_capabilities(self): raise ValueError('bang')", "load", 0),
        ("def init(self, cfg): raise ValueError('bang')", "init", 0),
        ("def start(self, ctx): raise ValueError('bang')", "start", 0),
        ("def on_timer(self, t): 1 / 0 if t < 30 else self.bang()", "on_timer", 0),
        (
            "def on_timer(self, t):\n            if t == 30: raise ValueError('bang')",
            "on_timer",
            30,
        ),
        ("def poll_link_tx(self, budget): raise ValueError('bang')", "poll_link_tx", 0),
        ("def poll_link_tx(self, budget): raise SystemExit('bang')", "poll_link_tx", 0),
        ("def poll_link_tx(self, budget): raise GeneratorExit('bang')", "poll_link_tx", 0),
        ("def stop(self): raise ValueError('bang')", "stop", None),
        ("def close(self): raise ValueError('bang')", "stop", None),
    ],
)
def test_an_exception_in_any_callback(
    write_adapter: WriteAdapter, method: str, callback: str, t_ms: int | None
) -> None:
    adapter = write_adapter(BYTE + f"        {method}\n")
    error = fails(byte_scenario(), adapter, write_adapter(BYTE))
    assert error.callback == callback
    if t_ms is not None:
        assert error.t_ms == t_ms
    assert error.traceback is not None
    assert pathlib.Path(adapter).name in error.traceback
    assert "_host.py" not in error.traceback
    assert error.traceback in str(error) or error.traceback.strip() in str(error)


def test_an_exception_in_on_link_rx(write_adapter: WriteAdapter) -> None:
    sender = write_adapter(
        BYTE.replace("return []", "return [b'x']")
        + "        def stop(self): raise RuntimeError('second, not reported')\n"
    )
    receiver = write_adapter(BYTE + "        def on_link_rx(self, sdu): raise KeyError(sdu)\n")
    error = fails(byte_scenario(), receiver, sender)
    assert error.callback == "on_link_rx"
    assert "KeyError: b'x'" in str(error)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nowhere/adapter.py", "cannot read"),
        ("{good}:Missing", "has no Missing"),
        ("no_such_module:Adapter", "no_such_module"),
        ("json:Adapter", "has no Adapter"),
        ("not a module", "neither"),
        ("entrypoint:none_such", "no entry point"),
        ("native:none_such", "none_such"),
    ],
)
def test_what_cannot_be_found(write_adapter: WriteAdapter, spec: str, words: str) -> None:
    good = write_adapter(BYTE)
    error = fails(byte_scenario(), spec.format(good=good), good)
    assert error.callback == "load"
    assert words in str(error)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_package\nclass Adapter: pass", "no_such_package"),
        ("class Adapter(:", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_file_that_does_not_load(write_adapter: WriteAdapter, source: str, words: str) -> None:
    error = fails(byte_scenario(), write_adapter(source), write_adapter(BYTE))
    assert error.callback == "load"
    assert words in str(error)
    assert error.traceback is not None


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("'text'", "list of bytes, got str"),
        ("b'bytes'", "list of bytes, got bytes"),
        ("7", "list of bytes, got int"),
        ("['text']", "str"),
        ("[None]", "NoneType"),
        ("[(b'x', 1, 2)]", "tuple"),
        ("[b'x'] * (budget + 1)", "65"),
        ("[bytes(1025)]", "1025 bytes"),
    ],
)
def test_wrong_sdus(write_adapter: WriteAdapter, returned: str, words: str) -> None:
    adapter = write_adapter(BYTE + f"        def poll_link_tx(self, budget): return {returned}\n")
    error = fails(byte_scenario(), adapter, write_adapter(BYTE))
    assert error.callback == "poll_link_tx"
    assert words in str(error)
    assert error.traceback is None


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("np.zeros(160)", "float64"),
        ("np.zeros(160, np.int32)", "int32"),
        ("np.zeros(160, np.uint16)", "uint16"),
        ("np.zeros(160, '>i2')", ">i2"),
        ("np.zeros(159, np.int16)", "(159,)"),
        ("np.zeros((1, 160), np.int16)", "(1, 160)"),
        ("np.zeros(0, np.int16)", "(0,)"),
        ("np.zeros(320, np.int16)[::2]", "C-contiguous"),
        ("[0] * 160", "list"),
        ("bytes(320)", "bytes"),
    ],
)
def test_wrong_blocks(write_adapter: WriteAdapter, returned: str, words: str) -> None:
    adapter = write_adapter(AUDIO + f"        def pull_tx_block(self): return {returned}\n")
    error = fails(audio_scenario(), adapter, write_adapter(AUDIO))
    assert error.callback == "pull_tx_block"
    assert words in str(error)


@pytest.mark.parametrize(
    ("scenario", "source", "words"),
    [
        (audio_scenario(), BYTE, "audio"),
        (byte_scenario(), AUDIO, "byte"),
        (byte_scenario(), BYTE.replace("def poll_link_tx", "def other"), "poll_link_tx"),
        (byte_scenario(), BYTE.replace("def on_link_rx", "def other"), "on_link_rx"),
        (byte_scenario(), BYTE.replace('return {"abi', 'return ["abi'), "SyntaxError"),
        (byte_scenario(), BYTE.replace("return {", "return 7 or {"), "dict"),
    ],
)
def test_a_mode_that_is_not_supported(
    write_adapter: WriteAdapter, scenario: dict[str, Any], source: str, words: str
) -> None:
    good = AUDIO if scenario["mode"] == "audio" else BYTE
    error = fails(scenario, write_adapter(source), write_adapter(good))
    assert error.callback == "load"
    assert words in str(error)


def test_outputs_up_to_the_failure_are_readable(
    write_adapter: WriteAdapter, tmp_path: pathlib.Path
) -> None:
    adapter = write_adapter(
        BYTE
        + """
        def start(self, ctx): self.ctx = ctx
        def on_timer(self, t):
            self.ctx.emit_event("alive", {"t": t})
            if t == 50: raise ValueError("bang")
        """
    )
    with pytest.raises(drybox.EndpointError):
        drybox.run(byte_scenario(), left=adapter, right=adapter, out=tmp_path / "o")
    lines = (tmp_path / "o" / "events.jsonl").read_text().splitlines()
    assert len(lines) == 11  # both sides at 0 … 40, and the left one at 50
    assert '"exit_code": 3' in (tmp_path / "o" / "summary.json").read_text()


def test_keyboard_interrupt_is_an_interrupt(
    write_adapter: WriteAdapter, tmp_path: pathlib.Path
) -> None:
    adapter = write_adapter(
        BYTE
        + """
        def on_timer(self, t):
            if t == 100: raise KeyboardInterrupt
        """
    )
    with pytest.raises(KeyboardInterrupt):
        drybox.run(byte_scenario(), left=adapter, right=adapter, out=tmp_path / "o")
    assert '"interrupted": true' in (tmp_path / "o" / "summary.json").read_text()
