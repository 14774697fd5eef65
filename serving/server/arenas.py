"""glibc's allocator, with one arena for each core instead of its eight.

Requests are worked on in many threads, and what a large one leaves free in one arena is of no use to the others: after
50,000 hostile requests the process held 110 MB more, and none of it was in use.
"""

import ctypes
import os
import platform

_ARENA_MAX = -8  # malloc.h


def limit():
    """Lets the threads of this process share arenas; before it starts them, and only where the C library is glibc."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_ARENA_MAX, os.cpu_count() or 1)
