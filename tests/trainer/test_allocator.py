"""What is freed is kept: seen in a process of its own, as the settings are the process's."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import ctypes, resource
import numpy as np
from trainer import allocator
{before}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        held = [np.ones(12 << 20, np.uint8) for _ in range(8)]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(allocator.keeps_memory(), faults())
"""


def counted(before):
    command = [sys.executable, "-c", COUNT.format(before=before)]
    kept, faults = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return kept == "True", int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_memory_is_taken_from_the_system_once():
    asked, kept = counted(""), counted("allocator.keep_memory()")
    assert not asked[0] and kept[0]
    assert kept[1] < 100 < asked[1]


def test_another_c_library_is_left_alone():
    before = "allocator.platform.libc_ver = lambda: ('musl', '1.2'); allocator.keep_memory()"
    assert counted(before)[0] is False
