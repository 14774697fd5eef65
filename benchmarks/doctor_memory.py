"""Peak memory and seconds of `python -m data.doctor` over a file of a million rows.

    python -m benchmarks.doctor_memory --rows=1000000

The file is made first, in a temporary folder, by a process of its own: texts of 20 words on average, drawn by their
rank as words are in English (Zipf), one row in a hundred repeated exactly, one in case and punctuation, one with a
word changed. What the doctor then says of these three is printed beside how many were planted.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

PLANTED = 100  # one row in so many, of each kind
WORDS = 200_000


def main():
    """Prints one table, or with --json one object; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("flags", nargs="*", help="more flags of data.doctor, after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "million.csv"
        planted = write_rows(path, given.rows)
        result = {"rows": given.rows, "MB": round(path.stat().st_size / 1e6, 1), "planted": planted}
        result |= measure(path, given.flags)
    print(json.dumps(result) if given.json else "\n".join(f"{name:<16}{value}" for name, value in result.items()))
    return 0


def measure(path, more=()):
    """Runs the doctor in a process of its own: {"peak_MB", "seconds", "found"}."""
    # VmHWM, not ru_maxrss: the latter counts what the parent held when it started the process
    script = (
        "import sys, time; from data.doctor.__main__ import main; began = time.monotonic();"
        "main(sys.argv[1:]);"
        "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'));"
        "print(peak, time.monotonic() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), "--json", *more],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    report, figures = done.stdout.splitlines()
    peak, seconds = map(float, figures.split())
    (overlap,) = json.loads(report)["overlaps"]
    found = {key: overlap[key] for key in ("exact", "near", "similar")}
    return {"peak_MB": round(peak / 1024, 1), "seconds": round(seconds, 1), "found": found}


def write_rows(path, rows, seed=0):
    """Writes a CSV file of `rows` rows; returns how many of each kind of repetition were planted."""
    random = np.random.default_rng(seed)
    lengths = 2 + random.integers(0, 4, WORDS) + random.integers(0, 6, WORDS)
    letters = random.choice(list("etaoinshrdlucmfwypvbgkjqxz"), lengths.sum(), p=_letter_shares())
    words = np.array(["".join(word) for word in np.split(letters, np.cumsum(lengths)[:-1])])
    shares = 1 / np.arange(2, WORDS + 2)
    planted = {"exact": 0, "near": 0, "similar": 0}
    before = None
    with open(path, "w", encoding="utf-8") as file:
        file.write("text,label\n")
        for start in range(0, rows, 10_000):
            count = min(10_000, rows - start)
            sizes = random.integers(8, 33, count)
            drawn = np.split(random.choice(words, sizes.sum(), p=shares / shares.sum()), np.cumsum(sizes)[:-1])
            for number, text in enumerate(drawn, start):
                kind = {1: "exact", 2: "near", 3: "similar"}.get(number % PLANTED)
                if kind and before is not None:
                    text = _repeated(before, kind)
                    planted[kind] += 1
                elif number % PLANTED == 0:
                    before = list(text)
                file.write(f"{' '.join(text)},{'spam' if number % 3 else 'ham'}\n")
    return planted


def _repeated(words, kind):
    """The words again: the same, in capitals and stops, or with one added."""
    if kind == "exact":
        return words
    if kind == "near":
        return [words[0].title(), *words[1:-1], words[-1] + "!"]
    return [*words, "indeed"]


def _letter_shares():
    shares = 1 / np.arange(4, 30)
    return shares / shares.sum()


if __name__ == "__main__":
    sys.exit(main())
