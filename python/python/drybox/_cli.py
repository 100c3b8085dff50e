"""The commands `drybox` and `drybox-run`: the words are Rust's, the adapters this interpreter's."""

from __future__ import annotations

import os
import sys

from drywire import _native


def drybox() -> int:
    """Run `drybox`; returns its exit code."""
    return _main("drybox")


def drybox_run() -> int:
    """Run `drybox-run`; returns its exit code."""
    return _main("drybox-run")


def _main(program: str) -> int:
    try:
        arguments = sys.argv[1:]
        if program == "drybox-run" or arguments[:1] in (["run"], ["check"]):
            _fix_hash_seed()
        # Results go to standard output, past Python; what adapters print must not stand among them.
        sys.stdout = sys.stderr
        return _native.main([program, *arguments])
    except KeyboardInterrupt:
        return 130


def _fix_hash_seed() -> None:
    """Start over with PYTHONHASHSEED=0, unless the user chose one.

    Otherwise an adapter that goes through a set of strings would not repeat its own run.
    """
    if os.environ.get("PYTHONHASHSEED", "random") not in ("", "random"):
        return
    if sys.flags.ignore_environment or not sys.flags.hash_randomization:
        return
    # Kept to one step: with -R the interpreter would randomise in spite of it.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    arguments = [sys.executable, *getattr(sys, "orig_argv", ["", *sys.argv])[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        import subprocess

        raise SystemExit(subprocess.call(arguments, env=environment))
    os.execve(sys.executable, arguments, environment)
