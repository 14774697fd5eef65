"""python -m serving.load --target=HOST:PORT --model=NAME --texts=FILE (--rate=R | --concurrency=N)."""

import os
import sys

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC reads it while it is imported, and would log into the progress

from serving.load.command import main  # noqa: E402

try:
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    code = main()
    sys.stdout.flush()
except BrokenPipeError:  # a reader that leaves early is no error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at exit
    code = 0
sys.exit(code)
