"""Threads share the arenas of glibc's allocator."""

import os
import platform
import subprocess
import sys

import pytest

_COUNT = """
import ctypes, sys, threading
from serving.server import arenas
if {limited}:
    arenas.limit()
barrier = threading.Barrier({threads} + 1)
def hold():
    held = [bytearray(60_000) for _ in range(20)]
    barrier.wait()
    barrier.wait()
for _ in range({threads}):
    threading.Thread(target=hold).start()
barrier.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
barrier.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_as_many_as_cores(tmp_path):
    cores = os.cpu_count()
    arenas = {}
    for limited in (False, True):
        code = _COUNT.format(limited=limited, threads=3 * cores)
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "info")], check=True, timeout=60)
        arenas[limited] = (tmp_path / "info").read_text().count("<heap nr")
    assert arenas[True] <= cores < arenas[False]
