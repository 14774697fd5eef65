"""`python -m serving.release publish|list|rollback|label|gc --model_base_path=DIR …`: what servers find there.

publish --source=WORKDIR_OR_VERSION [--version=N] [--reason=TEXT] [--force]: prints the version that now serves it.
list: every version that is or was there.
rollback [--version=N] [--reason=TEXT]: publishes again what was served before the newest version, or version N.
label --label=NAME --model_config_file=FILE [--version=N] [--target=HOST:PORT]: lets stable, canary, … name version N,
  by default what the label named before.
gc [--keep=N | --version=N] [--model_config_file=FILE] [--dry_run] [--reason=TEXT]: removes old versions.
"""

import json

from absl import flags

from serving import command
from serving.contract import ServingError
from serving.nearest import did_you_mean

FLAGS = flags.FLAGS

flags.DEFINE_string("model_base_path", None, "Folder that the server is pointed at; publish makes it.")
flags.DEFINE_string(
    "source", None, "Workdir of a training (its newest proven export is taken) or one exported version."
)
flags.DEFINE_integer(
    "version",
    None,
    "Number to publish under (default: one more than any that is or was there), to roll back to, label or remove.",
    1,
    2**63 - 1,
)
flags.DEFINE_string("reason", "", "Why, for the history.")
flags.DEFINE_bool("force", False, "Publish again what is published already, under a new number.")
flags.DEFINE_integer("keep", 3, "Newest versions that gc leaves there.", 1)
flags.DEFINE_string(
    "model_config_file", None, "TF Serving's models.config: label writes to it, gc leaves the versions that it names."
)
flags.DEFINE_string("label", None, "The label to move.")
flags.DEFINE_string("model_name", None, "Name of the model in models.config; default: last part of --model_base_path.")
flags.DEFINE_string(
    "target",
    None,
    "HOST:PORT of the server that reads models.config: the label moves once the version is loaded there. "
    "Asked in plain text: a port that speaks TLS is refused.",
)
flags.DEFINE_float("wait_seconds", 60, "How long label waits for that.", 0)
flags.DEFINE_bool("dry_run", False, "Say what gc would remove, and remove nothing.")
flags.DEFINE_bool("json", False, "One JSON object on stdout.")


def main(arguments):
    """Runs the subcommand that the arguments name; returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        raise ServingError(_usage(arguments))
    perform, own_flags = _COMMANDS[arguments[0]]
    for name in sorted(set().union(*(own for _, own in _COMMANDS.values())) - own_flags):
        if FLAGS[name].present:
            takers = " and ".join(command for command, (_, own) in _COMMANDS.items() if name in own)
            raise ServingError(f"{arguments[0]} takes no --{name}; it belongs to {takers}")
    if not FLAGS.model_base_path:
        raise ServingError("--model_base_path is missing; give the folder that the server is pointed at")
    return perform()


def _publish():
    from serving.release import publish

    if not FLAGS.source:
        raise ServingError("--source is missing; give the workdir of a training, or one exported version")
    done = publish.publish(FLAGS.source, FLAGS.model_base_path, FLAGS.version, FLAGS.reason, FLAGS.force)
    print(json.dumps(done.as_dict()) if FLAGS.json else done.line())


def _list():
    from serving.release import listing

    rows = listing.versions(FLAGS.model_base_path)
    print(
        json.dumps({"model_base_path": FLAGS.model_base_path, "versions": rows}) if FLAGS.json else listing.table(rows)
    )


def _rollback():
    from serving.release import rollback

    restored, done = rollback.rollback(FLAGS.model_base_path, FLAGS.version, FLAGS.reason)
    told = f"version {restored} is back as version {done.version} at {done.path}"
    print(json.dumps(done.as_dict() | {"restores": restored}) if FLAGS.json else told)


def _label():
    from serving.release import label

    for name in ("label", "model_config_file"):
        if not FLAGS[name].value:
            raise ServingError(f"--{name} is missing; give both --label and --model_config_file")
    version = FLAGS.version or label.before(FLAGS.model_base_path, FLAGS.label)
    where = (FLAGS.model_config_file, FLAGS.model_name, FLAGS.model_base_path)
    done = label.label(*where, FLAGS.label, version, FLAGS.target, FLAGS.wait_seconds, FLAGS.reason)
    was = f", before {done['before']}" if done["before"] else ""
    print(json.dumps(done) if FLAGS.json else f"{FLAGS.label} is version {version}{was}, in {FLAGS.model_config_file}")


def _gc():
    from serving.release import collect

    if FLAGS["keep"].present and FLAGS.version is not None:
        raise ServingError("--keep and --version: give one of them")
    done = collect.collect(
        FLAGS.model_base_path, FLAGS.keep, FLAGS.version, FLAGS.model_config_file, FLAGS.dry_run, FLAGS.reason
    )
    print(json.dumps(done | {"dry_run": FLAGS.dry_run}) if FLAGS.json else _collected(done))


def _collected(done):
    kept = ", ".join(map(str, done["kept"])) or "none"
    if not done["removed"]:
        return f"nothing to remove; there are {kept}"
    verb, removed = "would remove" if FLAGS.dry_run else "removed", ", ".join(map(str, done["removed"]))
    return f"{verb} {removed} ({done['bytes'] >> 20} MB); left are {kept}"


_COMMANDS = {
    "publish": (_publish, {"source", "version", "reason", "force"}),
    "list": (_list, set()),
    "rollback": (_rollback, {"version", "reason"}),
    "label": (
        _label,
        {"version", "reason", "label", "model_config_file", "model_name", "target", "wait_seconds"},
    ),
    "gc": (_gc, {"keep", "version", "model_config_file", "dry_run", "reason"}),
}


def _usage(arguments):
    known = ", ".join(_COMMANDS)
    if not arguments:
        return f"a subcommand is missing; allowed: {known}"
    if arguments[0] in _COMMANDS:
        return f"argument {arguments[1]!r} is not a flag; write --name=value"
    near = did_you_mean(arguments[0], _COMMANDS)
    return f"subcommand {arguments[0]!r} is unknown; {near + ' ' if near else ''}allowed: {known}"


if __name__ == "__main__":
    command.run(main)
