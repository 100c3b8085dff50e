"""The newcomer's path of the README: a Python program and the command, one at each end."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest
from conftest import environment, python

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.skipif(not os.environ.get("DRYWIRE_BIN"), reason="DRYWIRE_BIN names the command")
def test_the_python_program_talks_to_drywire_listen(tmp_path: pathlib.Path) -> None:
    drywire = os.environ["DRYWIRE_BIN"]
    subprocess.run([drywire, "keygen", "shared.seed"], cwd=tmp_path, check=True, timeout=60)
    listener = subprocess.Popen(
        [drywire, "listen", "127.0.0.1:0", "--json", "--seed-file", "shared.seed"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert listener.stdin is not None
        assert listener.stderr is not None
        host, port = json.loads(listener.stderr.readline())["listening"].rsplit(":", 1)
        listener.stdin.write("good day")
        listener.stdin.close()
        listener.stdin = None
        (block,) = (
            text
            for text in re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.S)
            if "STTNode" in text
        )
        source = block.replace("there.example", host).replace("4000", port)
        assert python(source, cwd=tmp_path).strip() == "b'good day'"
        heard, said = listener.communicate(timeout=60)
        assert (heard, listener.returncode) == ("hello\n", 0), said
    finally:
        listener.kill()
        listener.wait()
