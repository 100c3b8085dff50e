"""Reading `metrics.csv` back."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from drywire import _native

HEADER = (
    "t_ms,side,layer,event,rtt_ms_est,latency_ms,jitter_ms,loss_rate,reorder_rate,goodput_bps,snr_db_est,"
    "ber,per,cfo_hz_est,lock_ratio,hs_time_ms,rekey_ms,aead_fail_cnt\n"
)


def test_types_and_gaps(tmp_path: pathlib.Path) -> None:
    text = HEADER + "10,L,bearer,rx,1.500,2.000" + "," * 12 + "\n20,R,audio,tx" + "," * 14 + "\n"
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    for source in (path, str(path), text.encode()):
        metrics = _native.read_metrics(source)
        assert list(metrics) == HEADER.strip().split(",")
        assert metrics["t_ms"].tolist() == [10, 20]
        assert metrics["event"].tolist() == ["rx", "tx"]
        np.testing.assert_array_equal(metrics["rtt_ms_est"], [1.5, np.nan])


def test_quoted_events() -> None:
    words = ["a,b", 'say "x"', "two\nlines", '"', "é"]
    rows = "".join(
        f"{n},L,adapter," + '"' + word.replace('"', '""') + '"' + "," * 14 + "\n"
        for n, word in enumerate(words)
    )
    metrics = _native.read_metrics((HEADER + rows).encode())
    assert metrics["event"].tolist() == words
    assert metrics["t_ms"].tolist() == list(range(len(words)))


def test_an_empty_file_has_empty_columns() -> None:
    metrics = _native.read_metrics(HEADER.encode())
    assert all(len(column) == 0 for column in metrics.values())
    assert metrics["t_ms"].dtype == np.int64


@pytest.mark.parametrize(
    "text",
    [
        "other,header\n",
        HEADER + "1,L\n",
        HEADER + "x,L,bearer,rx" + "," * 14 + "\n",
        HEADER + "1,L,bearer,rx,abc" + "," * 13 + "\n",
        HEADER + "1,L,bearer,rx" + "," * 15 + "\n",
    ],
)
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"record \d is not"):
        _native.read_metrics(text.encode())


def test_a_missing_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        _native.read_metrics(tmp_path / "none")
