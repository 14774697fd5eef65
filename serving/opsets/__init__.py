"""The ops that each stock TF Serving release knows: one text file per release (README.md says where they come from).

A SavedModel with an op that the server lacks loads as AVAILABLE and fails on the first request, so export asks here
first.
Standard library only.
"""

import difflib
import functools
import pathlib

from serving.contract import ServingError

_FOLDER = pathlib.Path(__file__).parent


def known_targets():
    """Releases with an op list, oldest first: ("2.19", "2.20")."""
    names = [path.stem for path in _FOLDER.glob("*.txt")]
    return tuple(sorted(names, key=lambda name: tuple(map(int, name.split(".")))))


def parse_targets(given):
    """Targets named by a comma-separated flag value, oldest first, each once; ServingError for one that is unknown."""
    named = {check_target(part.strip()) for part in given.split(",") if part.strip()}
    if not named:
        raise ServingError(f"serving target {given!r} names none; known are {', '.join(known_targets())}")
    return [target for target in known_targets() if target in named]


def check_target(target):
    """The target itself; ServingError naming the nearest known release where it has no op list."""
    known = known_targets()
    if target not in known:
        nearest = (difflib.get_close_matches(target, known, n=1, cutoff=0.0) or known)[0]
        raise ServingError(f"TF Serving {target} is not known; did you mean {nearest}? known are {', '.join(known)}")
    return target


@functools.cache
def _sections(target):
    sections = {"core": [], "text": []}
    for line in (_FOLDER / f"{check_target(target)}.txt").read_text("ascii").splitlines():
        if line.startswith("#"):
            section = sections[line[1:].partition(":")[0].strip()]
        elif line:
            section.append(line)
    return {name: frozenset(ops) for name, ops in sections.items()}


def ops_of(target):
    """Every op that TF Serving `target` knows."""
    return _sections(target)["core"] | _sections(target)["text"]


def text_ops_of(target):
    """Those of them that come from tf.text."""
    return _sections(target)["text"]


def missing_ops(ops, targets):
    """`{target: [op, …]}` of the ops that a target lacks, sorted; targets that lack none are left out."""
    lacking = {target: sorted(set(ops) - ops_of(target)) for target in targets}
    return {target: names for target, names in lacking.items() if names}


def refuse_missing(ops, targets):
    """Raises ServingError (exit 3) that names the ops a target lacks and the releases that have them all."""
    for target, names in missing_ops(ops, targets).items():
        having = [other for other in known_targets() if not missing_ops(ops, [other])]
        way_out = (
            f"serve with TF Serving {' or '.join(having)}, or build the graph without"
            if having
            else "build the graph without"
        )
        raise ServingError(f"TF Serving {target} lacks {', '.join(names)}: {way_out}", exit_code=3)
