"""`python -m serving.release publish|list --model_base_path=DIR …`: puts proven versions where the server looks.

publish --source=WORKDIR_OR_VERSION [--version=N] [--reason=TEXT] [--force]: prints the version that now serves it.
list: every version that is or was there.
"""

import difflib
import json

from absl import flags

from serving import command
from serving.contract import ServingError

FLAGS = flags.FLAGS

flags.DEFINE_string("model_base_path", None, "Folder that the server is pointed at; publish makes it.")
flags.DEFINE_string(
    "source", None, "Workdir of a training (its newest proven export is taken) or one exported version."
)
flags.DEFINE_integer("version", None, "Version number; default: one more than any that is or was there.", 1, 2**63 - 1)
flags.DEFINE_string("reason", "", "Why, for the history.")
flags.DEFINE_bool("force", False, "Publish again what is published already, under a new number.")
flags.DEFINE_bool("json", False, "One JSON object on stdout.")


def main(arguments):
    """Runs the subcommand that the arguments name; returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        raise ServingError(_usage(arguments))
    perform, own_flags = _COMMANDS[arguments[0]]
    for name in sorted({"source", "version", "reason", "force"} - own_flags):
        if FLAGS[name].present:
            raise ServingError(f"{arguments[0]} takes no --{name}; it belongs to publish")
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


_COMMANDS = {
    "publish": (_publish, {"source", "version", "reason", "force"}),
    "list": (_list, set()),
}


def _usage(arguments):
    known = ", ".join(_COMMANDS)
    if not arguments:
        return f"a subcommand is missing; allowed: {known}"
    if arguments[0] in _COMMANDS:
        return f"argument {arguments[1]!r} is not a flag; write --name=value"
    near = difflib.get_close_matches(arguments[0], _COMMANDS, n=1)
    return f"subcommand {arguments[0]!r} is unknown{f'; did you mean {near[0]}?' if near else ''}; allowed: {known}"


if __name__ == "__main__":
    command.run(main)
