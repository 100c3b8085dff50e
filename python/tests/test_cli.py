"""The installed commands."""

from __future__ import annotations

import json
import pathlib
import resource
import signal
import subprocess
import sys

import pytest
from conftest import Command, WriteAdapter, byte_scenario, environment, program, python
from test_errors import BYTE

QUIET = BYTE


@pytest.fixture
def scenario(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "scenario.yaml"
    path.write_text(json.dumps(byte_scenario(500)))
    return str(path)


def test_run(
    write_adapter: WriteAdapter, drybox_command: Command, scenario: str, tmp_path: pathlib.Path
) -> None:
    adapter, out = write_adapter(QUIET), tmp_path / "o"
    arguments = [scenario, "--left", adapter, "--right", adapter, "--out", str(out)]
    done = drybox_command("drybox", ["run", *arguments])
    assert done.returncode == 0, done.stderr
    assert str(out) in done.stdout
    assert (out / "summary.json").is_file()


def test_the_form_in_use_in_the_field(
    write_adapter: WriteAdapter, drybox_command: Command, scenario: str, tmp_path: pathlib.Path
) -> None:
    adapter, out = write_adapter(QUIET), tmp_path / "o"
    arguments = ["--scenario", scenario, "--left", adapter, "--right", adapter, "--out", str(out)]
    done = drybox_command("drybox-run", [*arguments, "--tick-ms", "20", "--seed", "3", "--no-ui"])
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["tick_ms"], summary["seed"]) == (20, 3)


def test_json_stands_alone_on_standard_output(
    write_adapter: WriteAdapter, drybox_command: Command, scenario: str, tmp_path: pathlib.Path
) -> None:
    noisy = write_adapter(
        "print('loading')\n" + _dedent(QUIET) + "\n    def stop(self): print('bye')\n"
    )
    arguments = ["run", scenario, "--left", noisy, "--right", noisy, "--json"]
    done = drybox_command("drybox", [*arguments, "--out", str(tmp_path / "o")])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["exit_code"] == 0
    assert "loading" in done.stderr
    assert "bye" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "missing.yaml"], 4),
        (["run"], 4),
        (["--nonsense"], 4),
        (["schema"], 0),
        (["--version"], 0),
        (["--help"], 0),
        (["check", "missing.py"], 3),
    ],
)
def test_exit_codes(drybox_command: Command, arguments: list[str], code: int) -> None:
    done = drybox_command("drybox", arguments)
    assert done.returncode == code, done.stderr
    assert (done.stdout if code == 0 else done.stdout + done.stderr).strip()
    assert "Traceback" not in done.stderr


def test_an_endpoint_error_shows_the_traceback(
    write_adapter: WriteAdapter, drybox_command: Command, scenario: str, tmp_path: pathlib.Path
) -> None:
    good = write_adapter(QUIET)
    bad = write_adapter(QUIET + "        def on_timer(self, t): raise ValueError('bang')\n")
    arguments = ["run", scenario, "--left", bad, "--right", good, "--out", str(tmp_path / "o")]
    done = drybox_command("drybox", arguments)
    assert done.returncode == 3
    assert "left adapter" in done.stderr
    assert "ValueError: bang" in done.stderr
    assert "raise ValueError('bang')" in done.stderr


def test_a_missed_threshold_is_exit_2(
    write_adapter: WriteAdapter, drybox_command: Command, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "strict.yaml"
    path.write_text(json.dumps(byte_scenario(500, acceptance={"required_events": ["never"]})))
    adapter = write_adapter(QUIET)
    done = drybox_command("drybox", ["run", str(path), "--left", adapter, "--right", adapter])
    assert done.returncode == 2
    assert "never" in done.stdout + done.stderr


def test_a_sweep_runs_each_value_in_a_process(
    write_adapter: WriteAdapter, drybox_command: Command, tmp_path: pathlib.Path
) -> None:
    scenario = byte_scenario(500)
    scenario["network"]["loss_rate"] = [0.0, 0.1, 0.2]
    path = tmp_path / "sweep.yaml"
    path.write_text(json.dumps(scenario))
    log = tmp_path / "pids"
    log.mkdir()
    source = f"import os\nopen({str(log)!r} + '/' + str(os.getpid()), 'w').close()\n"
    adapter = write_adapter(source + _dedent(QUIET))
    out = tmp_path / "o"
    arguments = ["run", str(path), "--left", adapter, "--right", adapter, "--jobs", "2"]
    done = drybox_command("drybox", [*arguments, "--out", str(out)])
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("*/summary.json"))) == 3
    assert len(list(log.iterdir())) == 3


def _as_from_a_terminal() -> None:
    """Who starts these tests in the background may have SIGINT ignored, which children inherit.

    A run that nothing ends must not fill the disk either.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def test_interrupt_leaves_readable_outputs(
    write_adapter: WriteAdapter, tmp_path: pathlib.Path
) -> None:
    """SIGINT once the run is under way: 130, and every line that is there is whole."""
    adapter = write_adapter(
        """
        class Adapter:
            def nade_capabilities(self):
                return {"abi_version": "1.0", "bytelink": True, "audioblock": False}
            def start(self, ctx): self.ctx = ctx
            def on_timer(self, t_ms):
                if t_ms == 20000: print("under way", flush=True)
                self.ctx.emit_event("tick", {"t": t_ms})
            def poll_link_tx(self, budget): return [b"x" * 100]
            def on_link_rx(self, sdu): pass
        """
    )
    path = tmp_path / "long.yaml"
    path.write_text(json.dumps(byte_scenario(10**9)))
    out = tmp_path / "o"
    child = subprocess.Popen(
        [
            program("drybox"),
            "run",
            str(path),
            "--left",
            adapter,
            "--right",
            adapter,
            "--out",
            str(out),
        ],
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        preexec_fn=_as_from_a_terminal,
    )
    assert child.stderr is not None
    try:
        for line in child.stderr:
            if "under way" in line:
                break
        else:
            pytest.fail("the run ended by itself")
        child.send_signal(signal.SIGINT)
        _, rest = child.communicate(timeout=60)
        assert child.returncode == 130, rest
    finally:
        child.kill()
        child.wait()
        child.stderr.close()
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert len(events) > 2000
    summary = json.loads((out / "summary.json").read_text())
    assert summary["interrupted"] is True
    assert summary["exit_code"] == 130
    import drybox
    from drywire import _native

    assert drybox is not None
    assert len(_native.read_metrics(out / "metrics.csv")["t_ms"]) > 2000


def test_importing_is_light() -> None:
    """A short run must not pay for what it does not use."""
    loaded = python(
        """
        import sys
        import drybox
        from drybox import _cli
        print(*sorted(name.partition(".")[0] for name in sys.modules))
        """
    ).split()
    for heavy in ("numpy", "asyncio", "inspect", "json", "typing", "subprocess", "pathlib"):
        assert heavy not in loaded


def test_byte_mode_never_imports_numpy(write_adapter: WriteAdapter) -> None:
    adapter = write_adapter(QUIET)
    source = """
        import sys
        import drybox
        scenario = {"mode": "byte", "duration_ms": 100}
        result = drybox.run(scenario, left=sys.argv[1], right=sys.argv[1])
        assert result.events == []
        print("numpy" in sys.modules)
    """
    assert python(source, adapter).strip() == "False"


def test_hash_seed_of_the_user_is_kept(
    write_adapter: WriteAdapter, drybox_command: Command, scenario: str, tmp_path: pathlib.Path
) -> None:
    source = "import os\nprint('seed', os.environ.get('PYTHONHASHSEED'))\n"
    adapter = write_adapter(source + _dedent(QUIET))
    arguments = [
        "run",
        scenario,
        "--left",
        adapter,
        "--right",
        adapter,
        "--out",
        str(tmp_path / "o"),
    ]
    assert "seed 0" in drybox_command("drybox", arguments).stderr
    assert "seed 42" in drybox_command("drybox", arguments, PYTHONHASHSEED="42").stderr


def test_module_form_is_not_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import drywire; print(drywire.__version__)"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.count(".") == 2


def _dedent(source: str) -> str:
    import textwrap

    return textwrap.dedent(source).strip("\n")
