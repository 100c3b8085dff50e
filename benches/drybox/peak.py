"""Runs a command and prints the largest memory that it held, in MB (10**6 bytes)."""

import resource
import subprocess
import sys

subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
# Kilobytes of 1,024 bytes, except on macOS.
print(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)
