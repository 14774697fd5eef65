"""The commands that README, BUILD.md and the flagfiles show, as the text of shell scripts."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
# Shown to people who start from nothing; the tests stand in the environment that these have made.
OUTSIDE = re.compile(r"^(make |python -m pip |pip )")


def script(path):
    """All ```bash and ```python blocks of a Markdown file, in order, as one bash script; OUTSIDE lines left out."""
    blocks = re.findall(r"^```(bash|python)\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    return "\n".join(_shell(kind, text) for kind, text in blocks)


def outside(path):
    """The lines of the bash blocks that `script` leaves out, without their comments."""
    blocks = re.findall(r"^```bash\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if OUTSIDE.match(line)]
    return [line.partition("#")[0].strip() for line in lines]


def header_command(flagfile):
    """The command line in a flagfile's header, or None; base.flags is only ever included."""
    found = re.search(r"^# command: +(.+)$", flagfile.read_text(encoding="utf-8"), re.M)
    return found and found.group(1)


def _shell(kind, text):
    if kind == "python":
        return f"python - <<'END_OF_PYTHON'\n{text}END_OF_PYTHON"
    return "\n".join(line for line in text.splitlines() if not OUTSIDE.match(line))
