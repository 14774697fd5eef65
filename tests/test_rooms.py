"""Who may import whom: reads the imports of every source file and reports each that its room may not have."""

import ast
import dataclasses
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PROJECT = ("trainer", "serving", "data", "notebooks", "benchmarks", "tests")
HEAVY = {"tensorflow", "keras", "keras_hub", "keras_nlp", "tensorflow_text", "tensorflow_serving"}
TENSORFLOW = {"tensorflow", "tensorflow_text", "tensorflow_serving"}


@dataclasses.dataclass(frozen=True)
class Room:
    """`may`: rooms of the project that it may import besides itself, `never`: those taken out of `may` again;
    `packages`: the only packages besides the standard library (None: any), `not_packages`: those it may never import.
    """

    name: str
    may: tuple = ()
    never: tuple = ()
    packages: frozenset | None = None
    not_packages: frozenset = frozenset()
    relative: bool = False


def room(name, may="", never="", packages=None, not_packages=(), relative=False):
    packages = None if packages is None else frozenset(packages.split())
    return Room(name, tuple(may.split()), tuple(never.split()), packages, frozenset(not_packages), relative)


# By server and release.
SHARED = "serving.contract serving.models_config serving.nearest serving.status_probe serving.text_proto"
SETTINGS = "trainer.config trainer.flagfile trainer.heads"  # flagfile: the text of flagfiles, as free of absl as config
# Where rows come from: the packages that each kind of source needs, and no other kind.
SOURCES = {
    "columns": "",
    "cells": "",
    "readers": "",
    "squad": "",
    "answers_column": "",
    "records": "",
    "parts": "",
    "hf_folder": "",
    "split_sources": "",
    "arrow": "pyarrow",
    "parquet": "pyarrow",
    "tfrecord": "tensorflow",
    "tfds_source": "tensorflow tensorflow_datasets requests",
}
ROOMS = (
    room("trainer", packages=""),  # __init__.py alone: every file and folder below it has its own line
    room("trainer.settings", packages=""),
    room("trainer.config", "trainer.settings", packages=""),
    room("trainer.flagfile", "trainer.config", packages=""),
    room("trainer.heads", "trainer.config trainer.flagfile", packages=""),
    room("trainer.flags", SETTINGS, packages="absl"),
    room("trainer.allocator", packages=""),
    room("trainer.main", "trainer.config trainer.flags trainer.allocator trainer.loop.levers", packages=""),
    room("trainer.inputs", SETTINGS),
    room("trainer.inputs.columns", packages=""),
    room("trainer.inputs.readers", "trainer.config trainer.inputs", packages=""),
    room("trainer.inputs.sources", "trainer.config trainer.inputs", packages="numpy"),
    room("trainer.inputs.splits", "trainer.config trainer.inputs", packages="numpy"),
    room("trainer.inputs.labels", "trainer.config trainer.inputs", packages="numpy"),
    *(
        room(f"trainer.inputs.{name}", "trainer.config trainer.inputs", packages=packages)
        for name, packages in SOURCES.items()
    ),
    room("trainer.models", SETTINGS),
    room("trainer.tuning", f"{SETTINGS} trainer.models"),
    room("trainer.tasks", f"{SETTINGS} trainer.models trainer.metrics"),
    room("trainer.techniques", SETTINGS),
    room(
        "trainer.loop",
        f"{SETTINGS} trainer.allocator trainer.inputs trainer.models trainer.tuning trainer.tasks trainer.techniques "
        "trainer.metrics",
    ),
    room(
        "trainer.export",
        f"{SETTINGS} trainer.models trainer.tuning trainer.tasks serving.contract serving.opsets serving.loader "
        "serving.exchange",
    ),
    room("trainer.report", f"{SETTINGS} trainer.metrics"),
    room("trainer.metrics", not_packages=HEAVY - {"keras"}),
    room("trainer.modes", "trainer data", "trainer.flags trainer.main"),
    room(
        "data",
        "trainer.config trainer.inputs trainer.models.preprocessor trainer.models.tokenizers trainer.models.wordpiece",
    ),
    room("serving", packages=""),
    room("serving.contract", packages=""),
    room("serving.opsets", "serving.contract", packages=""),
    room("serving.text_proto", "serving.contract", packages="google"),
    room("serving.nearest", packages=""),
    room("serving.models_config", "serving.contract serving.text_proto", packages="google tensorflow_serving"),
    room("serving.status_probe", packages="google grpc"),
    room("serving.exchange", "serving.contract", packages="numpy"),  # the files between proof and clean process
    room("serving.loader", "serving.contract serving.opsets serving.exchange"),
    room("serving.command", "serving.contract", packages="absl"),  # the frame of every serving command line
    room("serving.server", f"{SHARED} serving.opsets serving.loader serving.command"),
    room("serving.release", f"{SHARED} serving.opsets serving.loader serving.command"),
    room("serving.kit", "serving.contract serving.opsets serving.loader serving.command"),
    room("serving.load", "serving.client serving.contract serving.nearest", not_packages=HEAVY),
    room("serving.solutions", "serving.client serving.contract", not_packages=HEAVY),
    room("serving.client", packages="numpy grpc grpc_health google", relative=True),
    room("notebooks", "trainer serving data"),
    room("benchmarks", "trainer serving data"),
)
# Rooms that TensorFlow must not enter by their mere import: --help and the first checks are fast.
LIGHT = (
    "trainer",
    "trainer.settings",
    "trainer.config",
    "trainer.flagfile",
    "trainer.flags",
    "trainer.main",
    "trainer.inputs.sources",
)


def inside(module, room_name):
    return module == room_name or module.startswith(room_name + ".")


def room_of(module):
    """The line of ROOMS with the longest name that holds this module; None for a room without a line."""
    held = [room for room in ROOMS if inside(module, room.name)]
    best = max(held, key=lambda room: len(room.name), default=None)
    if best and best.name in ("trainer", "serving") and module != best.name:
        return None
    return best


def module_of(path, root):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree, module, is_package):
    """(line, module imported, relative) of every import statement and every importlib.import_module("…")."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            # `from trainer import flags` imports trainer.flags; a class or function is inside its room anyway
            yield from ((node.lineno, f"{base}.{alias.name}", bool(node.level)) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value, False


def forbidden(room, module, relative):
    """Why a file of `room` may not import `module`, or None."""
    top = module.partition(".")[0]
    if top not in PROJECT:
        if top in room.not_packages or (
            room.packages is not None and top not in room.packages | sys.stdlib_module_names
        ):
            return f"{room.name} may not import the package {top}"
        return None
    if room.relative and not relative:
        return f"{room.name} may import itself by relative imports only, not {module}"
    if any(inside(module, name) for name in room.never):
        return f"{room.name} may never import {module}"
    if any(inside(module, name) for name in (room.name, *room.may)):
        return None
    if any(inside(name, module) for name in room.may):  # `import serving`: the package above such a room is empty
        return None
    return f"{room.name} may not import {module}"


def faults(root):
    """`file:line: reason` of every import that the rooms forbid, over all source files under `root`."""
    found = []
    for folder in PROJECT[:-1]:
        for path in sorted((root / folder).rglob("*.py")):
            module, where = module_of(path, root), path.relative_to(root)
            room, tree = room_of(module), ast.parse(path.read_text(encoding="utf-8"))
            if room is None:
                found.append(f"{where}:1: no room is known for {module}: give it a line in ROOMS")
                continue
            for line, name, relative in imports(tree, module, path.name == "__init__.py"):
                reason = forbidden(room, name, relative)
                found += [f"{where}:{line}: {reason}"] if reason else []
    return found


def test_no_room_imports_what_it_may_not():
    assert faults(ROOT) == []


@pytest.mark.parametrize("package", ["trainer", "serving", "trainer.inputs"])
def test_packages_above_light_modules_hold_nothing(package):
    tree = ast.parse((ROOT.joinpath(*package.split(".")) / "__init__.py").read_text(encoding="utf-8"))
    assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in tree.body)


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_nothing_heavy_at_module_level(module):
    path = ROOT / pathlib.Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tops = {name.partition(".")[0] for _, name, _ in imports(tree, module, path.name == "__init__.py")}
    assert not tops & HEAVY


def test_text_is_read_without_the_libraries_of_other_sources(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\na,b\n")
    read = "from trainer.inputs import labels, sources, splits; sources.read_table(sys.argv[1])"
    loaded = "{name.partition('.')[0] for name in sys.modules}"
    code = f"import sys; {read}; print(sorted({loaded} & {HEAVY | {'pyarrow', 'tensorflow_datasets', 'requests'}}))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.csv"], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    "path, line, said",
    [
        ("trainer/config.py", "import tensorflow", "trainer.config may not import the package tensorflow"),
        ("trainer/config.py", "from absl import flags", "trainer.config may not import the package absl"),
        ("trainer/flags.py", "from trainer import inputs", "trainer.flags may not import trainer.inputs"),
        ("trainer/flags.py", "import numpy", "trainer.flags may not import the package numpy"),
        ("trainer/main.py", "import trainer.loop.fit", "trainer.main may not import trainer.loop.fit"),
        (
            "trainer/inputs/pipeline.py",
            "from trainer.tasks import registry",
            "trainer.inputs may not import trainer.tasks",
        ),
        ("trainer/inputs/splits.py", "import tensorflow as tf", "splits may not import the package tensorflow"),
        ("trainer/models/encoder.py", "from ..inputs import sources", "trainer.models may not import trainer.inputs"),
        (
            "trainer/tasks/a.py",
            "def f():\n    from trainer.loop.fit import fit",
            "trainer.tasks may not import trainer.loop",
        ),
        ("trainer/loop/fit.py", "import trainer.flags", "trainer.loop may not import trainer.flags"),
        ("trainer/loop/fit.py", "from trainer.export import prove", "trainer.loop may not import trainer.export"),
        ("trainer/export/prove.py", "from trainer.loop import fit", "trainer.export may not import trainer.loop"),
        ("trainer/modes/train.py", "from trainer import flags", "trainer.modes may never import trainer.flags"),
        ("trainer/metrics/f1.py", "from trainer import config", "trainer.metrics may not import trainer.config"),
        ("trainer/attic/a.py", "import os", "no room is known for trainer.attic.a"),
        ("trainer/extra.py", "import os", "no room is known for trainer.extra"),
        ("data/fetch.py", "from trainer.models import encoder", "data may not import trainer.models.encoder"),
        ("data/fetch.py", "from trainer.loop import fit", "data may not import trainer.loop.fit"),
        ("serving/contract.py", "import numpy", "serving.contract may not import the package numpy"),
        ("serving/loader.py", "from trainer import config", "serving.loader may not import trainer.config"),
        (
            "serving/server/a.py",
            "import importlib\nimportlib.import_module('trainer.x')",
            "server may not import trainer.x",
        ),
        ("serving/release/a.py", "from serving.client import Client", "serving.release may not import serving.client"),
        ("serving/client/a.py", "from serving.client import b", "by relative imports only"),
        ("serving/client/a.py", "from .. import contract", "serving.client may not import serving.contract"),
        ("serving/client/a.py", "import tensorflow_serving.apis", "may not import the package tensorflow_serving"),
        ("serving/solutions/a.py", "import keras", "serving.solutions may not import the package keras"),
        ("trainer/loop/fit.py", "from benchmarks import quality", "trainer.loop may not import benchmarks.quality"),
        ("trainer/inputs/a.py", "import serving", "trainer.inputs may not import serving"),
        ("trainer/loop/fit.py", "from tests import conftest", "trainer.loop may not import tests.conftest"),
    ],
)
def test_a_forbidden_import_is_reported_with_file_and_line(tmp_path, path, line, said):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text('"""Purpose."""\n' + line + "\n")
    (fault,) = faults(tmp_path)
    number = 1 if "no room" in said else 1 + len(line.splitlines())
    assert fault.startswith(f"{path}:{number}: ") and said in fault


@pytest.mark.parametrize(
    "path, line",
    [
        ("trainer/main.py", "from trainer import flags"),
        ("trainer/inputs/pipeline.py", "import tensorflow as tf\nfrom trainer.inputs.sources import Table"),
        ("trainer/export/prove.py", "from serving import contract, loader\nfrom trainer.models import encoder"),
        (
            "trainer/modes/train.py",
            "from trainer.loop import fit\nfrom trainer.export import prove\nfrom data import doctor",
        ),
        ("trainer/export/prove.py", "import serving"),
        ("trainer/loop/workdir.py", "from trainer import flagfile"),
        ("data/doctor.py", "from trainer.models.preprocessor import Preprocessor"),
        ("serving/client/channel.py", "from . import errors\nfrom .errors import SlipwayError\nimport grpc, numpy"),
        ("serving/client/__init__.py", "from .channel import Client"),
        ("benchmarks/quality.py", "import torch\nfrom trainer import config"),
    ],
)
def test_an_allowed_import_is_not_reported(tmp_path, path, line):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(line + "\n")
    assert faults(tmp_path) == []
