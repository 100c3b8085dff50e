"""`drybox.run`: objects as adapters, results, arguments."""

from __future__ import annotations

import json
import pathlib
import pickle
from typing import Any

import drybox
import numpy as np
import pytest
from conftest import byte_scenario


class Counter:
    """Sends a number every 100 ms and keeps what arrives."""

    def __init__(self, start: int = 0) -> None:
        self.next = start
        self.received: list[bytes] = []
        self.stopped = 0

    def nade_capabilities(self) -> dict[str, Any]:
        return {"abi_version": "1.0", "bytelink": True, "audioblock": False}

    def init(self, cfg: dict[str, Any]) -> None:
        self.cfg = cfg

    def start(self, ctx: Any) -> None:
        self.ctx = ctx

    def on_timer(self, t_ms: int) -> None:
        if t_ms % 100 == 0:
            self.next += 1
            self.ctx.emit_event("count", {"n": self.next, "raw": b"\x00\xff", "f": float("nan")})

    def poll_link_tx(self, budget: int) -> list[bytes]:
        return [str(self.next).encode()] if self.ctx.now_ms() % 100 == 0 else []

    def on_link_rx(self, sdu: bytes) -> None:
        assert type(sdu) is bytes
        self.received.append(sdu)

    def stop(self) -> None:
        self.stopped += 1


def perfect(duration_ms: int = 1000, **more: Any) -> dict[str, Any]:
    network = {"bearer": "pstn_g711", "latency_ms": 20, "jitter_ms": 0, "loss_rate": 0}
    return {"mode": "byte", "duration_ms": duration_ms, "seed": 1, "network": network, **more}


def test_objects_are_used_as_they_are() -> None:
    left, right = Counter(), Counter(start=100)
    result = drybox.run(perfect(), left=left, right=right)
    assert right.received == [str(n).encode() for n in range(1, 11)]
    assert left.received == [str(n).encode() for n in range(101, 111)]
    assert (left.stopped, right.stopped) == (1, 1)
    assert left.cfg["side"] == "L"
    assert result.events[0] == {
        "t_ms": 0,
        "side": "L",
        "type": "count",
        "payload": {"n": 1, "raw": "00ff", "f": None},
    }


def test_cfg_holds_what_the_document_promises(tmp_path: pathlib.Path) -> None:
    left, right = Counter(), Counter()
    scenario = perfect(left={"power": 3, "modem": {"own": [1, 2]}})
    drybox.run(scenario, left=left, right=right, out=tmp_path, seed=9, tick_ms=5)
    cfg = left.cfg
    assert (cfg["side"], cfg["tick_ms"], cfg["seed"], cfg["mode"]) == ("L", 5, 9, "byte")
    assert cfg["sdu_max_bytes"] == 1024
    assert pathlib.Path(cfg["out_dir"]) == tmp_path
    assert cfg["power"] == 3
    assert cfg["modem"] == {"own": [1, 2]}
    crypto = cfg["crypto"]
    assert set(crypto) == {"priv", "pub", "peer_pub", "key_id", "peer_key_id"}
    assert drybox.crypto.ed25519_public(crypto["priv"]) == crypto["pub"]
    assert crypto["peer_pub"] == right.cfg["crypto"]["pub"]
    assert left.ctx.config is cfg


def test_metrics_are_columns() -> None:
    result = drybox.run(byte_scenario(), left=Counter, right=Counter)
    metrics = result.metrics
    assert len(metrics) == 18
    assert len({len(column) for column in metrics.values()}) == 1
    assert metrics["t_ms"].dtype == np.int64
    assert metrics["side"].dtype == object
    assert set(metrics["side"]) == {"L", "R"}
    rx = (metrics["layer"] == "bytelink") & (metrics["event"] == "rx")
    assert not np.isnan(metrics["latency_ms"][rx]).any()
    assert np.isnan(metrics["snr_db_est"]).all()


def test_metrics_become_a_frame() -> None:
    pandas = pytest.importorskip("pandas")
    result = drybox.run(byte_scenario(), left=Counter, right=Counter)
    frame = pandas.DataFrame(result.metrics)
    assert list(frame.columns) == list(result.metrics)
    assert len(frame) == len(result.metrics["t_ms"])


def test_in_memory_and_on_disk_agree(tmp_path: pathlib.Path) -> None:
    memory = drybox.run(byte_scenario(), left=Counter, right=Counter)
    disk = drybox.run(byte_scenario(), left=Counter, right=Counter, out=tmp_path / "o")
    assert memory.out is None
    assert disk.out == tmp_path / "o"
    assert memory.events == disk.events
    assert memory.summary == disk.summary
    for name, column in memory.metrics.items():
        np.testing.assert_array_equal(column, disk.metrics[name])
    assert json.loads((tmp_path / "o" / "summary.json").read_text()) == disk.summary
    assert "passed" in repr(disk)
    assert str(tmp_path) in repr(disk)


def test_a_missed_threshold_is_a_verdict_not_an_exception() -> None:
    scenario = byte_scenario(acceptance={"required_events": ["never"], "max_loss_rate": 1.0})
    result = drybox.run(scenario, left=Counter, right=Counter)
    assert not result.verdict
    assert result.exit_code == 2
    assert [check["passed"] for check in result.verdict.checks].count(False) == 1


def test_sweep_runs_every_value(tmp_path: pathlib.Path) -> None:
    scenario = byte_scenario()
    scenario["network"]["loss_rate"] = np.array([0.0, 0.5])
    result = drybox.sweep(scenario, left=Counter, right=Counter, out=tmp_path)
    assert len(result) == 2
    losses = [p.result.summary["directions"]["L>R"]["loss_rate"] for p in result]
    assert losses[0] < losses[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in result)
    assert result.passed
    assert len(result[:1]) == 1
    with pytest.raises(drybox.ScenarioError, match=r"drybox\.sweep"):
        drybox.run(scenario, left=Counter, right=Counter)
    with pytest.raises(drybox.ScenarioError, match="pass the class"):
        drybox.sweep(scenario, left=Counter(), right=Counter)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scenario": byte_scenario(surprise=1)}, "surprise"),
        ({"scenario": byte_scenario(duration_ms=-1)}, "duration_ms"),
        ({"scenario": {**byte_scenario(), "network": {"loss_rate": float("nan")}}}, "nan"),
        ({"scenario": {"mode": object()}}, "not JSON serializable"),
        ({"scenario": "no/such/file.yaml"}, "no/such/file.yaml"),
        ({"scenario": byte_scenario(), "seed": -1}, "seed"),
        ({"scenario": byte_scenario(), "seed": "1"}, "seed"),
        ({"scenario": byte_scenario(), "tick_ms": 0}, "tick"),
        ({"scenario": byte_scenario(), "left": None}, "left"),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(drybox.ScenarioError) as error:
        drybox.run(**{"left": Counter, "right": Counter, **arguments})
    assert words in str(error.value)
    assert error.value.exit_code == 4


def test_unwritable_outputs(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(drybox.OutputError, match="file"):
        drybox.run(byte_scenario(), left=Counter, right=Counter, out=tmp_path / "file" / "o")


def test_endpoint_errors_survive_pickling() -> None:
    error = drybox.EndpointError("words", "L", "on_timer", 10, "trace")
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    assert str(copy) == "words"


def test_the_package_names_what_it_offers() -> None:
    for name in drybox.__all__:
        assert getattr(drybox, name) is not None
        assert name in dir(drybox)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = drybox.nonsense
