"""Starts a process that never ends by itself and holds a named pipe open."""

import subprocess
import sys


class Adapter:
    def __init__(self, cfg):
        self.fifo = cfg["fifo"]

    def start(self, ctx):
        program = "import sys, threading\nfifo = open(sys.argv[1], 'wb')\nprint('open', flush=True)\nthreading.Event().wait()"
        child = subprocess.Popen([sys.executable, "-c", program, self.fifo], stdout=subprocess.PIPE)
        child.stdout.readline()
        ctx.emit_event("spawned", {})

    def poll_link_tx(self, budget):
        pass

    def on_link_rx(self, sdu):
        pass
