"""Versions come, fail, go back and change their labels under load: how many requests fail, and whose the answers are.

    python -m benchmarks.swaps

64 callers ask one text after the other, three quarters of them the model that serves its newest version, one quarter
another one by the label `stable`. Meanwhile versions are published in turn, corrupt ones are put beside them, the
label moves, and one rollback is made, all with the commands of `serving.release`. Every answer is compared with what
the two versions say themselves.
"""

import asyncio
import pathlib
import sys
import tempfile

from absl import app, flags

from benchmarks import paired, real_text, sheet, two_versions
from benchmarks.callers import calling
from benchmarks.server_process import ServerProcess
from benchmarks.stages import StageFailed

FLAGS = flags.FLAGS
flags.DEFINE_integer("callers", 64, "Callers at once.", lower_bound=4)
flags.DEFINE_float("seconds", 60, "Length of the run.", lower_bound=1)
flags.DEFINE_integer("swaps", 20, "Versions that are published meanwhile.", lower_bound=1)
flags.DEFINE_integer("corrupt", 3, "Corrupt versions that are put beside them.", lower_bound=0)
flags.DEFINE_float("deadline", 5, "Seconds of each request.", lower_bound=0.1)
real_text.define_flags()
two_versions.define_flags()
sheet.define_flags()
LABELLED = "labelled"


class Releases:
    """The commands that change what is served; `folder` holds one model_base_path for each model, and models.config."""

    def __init__(self, folder, versions):
        self.folder, self.versions = folder, versions
        self.config = folder / "models.config"

    async def prepare(self):
        """Version 1 of both models, the second one's called stable."""
        await self.publish(two_versions.MODEL, 0)
        await self.publish(LABELLED, 0)
        await self.publish(LABELLED, 1)
        await self._label(1)
        config = self.config.read_text()
        path = self.folder / two_versions.MODEL
        entry = f'config {{ name: "{two_versions.MODEL}" base_path: "{path}" model_platform: "tensorflow" }}'
        self.config.write_text(config.replace("model_config_list {", f"model_config_list {{\n  {entry}", 1))

    async def publish(self, model, which):
        """One of the two versions, under the next number."""
        await self._release("publish", model, f"--source={self.versions[which]}", "--force")

    async def put_corrupt(self):
        """A version that no server can load."""
        base = self.folder / two_versions.MODEL
        number = 1 + max(int(each.name) for each in base.iterdir() if each.name.isdigit())
        broken = base / f".broken-{number}"
        (broken / "variables").mkdir(parents=True)
        (broken / "saved_model.pb").write_bytes(b"no SavedModel")
        broken.rename(base / str(number))

    async def roll_back(self):
        """What was served before the newest good version, under the next number."""
        await self._release("rollback", two_versions.MODEL)

    async def move_label(self, target):
        """stable to the other version, once the server has loaded it."""
        await self._label(2, f"--target={target}", "--wait_seconds=60")

    async def _label(self, version, *arguments):
        given = ("--label=stable", f"--model_config_file={self.config}", f"--version={version}", *arguments)
        await self._release("label", LABELLED, *given)

    async def _release(self, command, model, *arguments):
        words = ["-m", "serving.release", command, f"--model_base_path={self.folder / model}", *arguments]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=sys.stderr)
        if code := await process.wait():
            raise StageFailed(code)


async def act(releases, address):
    """Everything that happens during the run, evenly spread over it."""
    acts = [
        lambda number=number: releases.publish(two_versions.MODEL, (number + 1) % 2) for number in range(FLAGS.swaps)
    ]
    for number in range(FLAGS.corrupt):
        acts.insert((number + 1) * len(acts) // (FLAGS.corrupt + 1), releases.put_corrupt)
    acts.insert(len(acts) // 3, lambda: releases.move_label(address))
    acts.append(releases.roll_back)
    pause, loop = FLAGS.seconds / (len(acts) + 1), asyncio.get_running_loop()
    begin = loop.time()
    for number, each in enumerate(acts, start=1):
        await asyncio.sleep(max(0, begin + number * pause - loop.time()))
        await each()
    await asyncio.sleep(max(0, begin + FLAGS.seconds - loop.time()))


async def measure():
    """{model: Calls} of the run."""
    with two_versions.versions() as versions, tempfile.TemporaryDirectory() as folder:
        told = two_versions.answers(versions)
        releases = Releases(pathlib.Path(folder), versions)
        await releases.prepare()
        polls = ("--model_config_file_poll_wait_seconds=0.2", "--file_system_poll_wait_seconds=0.2")
        early = "--allow_version_labels_for_unavailable_models"  # at the start nothing is loaded
        with ServerProcess(f"--model_config_file={releases.config}", early, *polls) as server:
            by_label = FLAGS.callers // 4
            newest = calling(
                server.address, two_versions.MODEL, told, FLAGS.callers - by_label, deadline=FLAGS.deadline
            )
            stable = calling(server.address, LABELLED, told, by_label, deadline=FLAGS.deadline, label="stable")
            async with newest as first, stable as second:
                await act(releases, server.address)
            return {"newest version": first, "label stable": second}


def compare():
    """Runs it, prints the table and keeps the figures."""
    page = sheet.Sheet("swaps", "versions that change under load")
    found = asyncio.run(measure())
    page.heads = ("callers ask", "answered", "failed", "version 1's", "version 2's", "nobody's", "p50 ms", "p99 ms")
    page.rows = [
        (name, *map(str, counts(calls)), *(f"{calls.percentile(share):.1f}" for share in (0.5, 0.99)))
        for name, calls in found.items()
    ]
    page.figures = {name: dict(zip(page.heads[1:6], counts(calls), strict=True)) for name, calls in found.items()}
    happened = f"{FLAGS.swaps} swaps, {FLAGS.corrupt} corrupt versions, a label move and a rollback"
    page.met = {
        f"no request failed in {happened}": not any(calls.failures for calls in found.values()),
        "every answer is one of the two versions' own": not any(calls.other for calls in found.values()),
        "both versions have answered on both ways": all(len(calls.by_version) == 2 for calls in found.values()),
    }
    page.notes = [f"{FLAGS.callers} callers, {FLAGS.seconds:g} s, deadline {FLAGS.deadline:g} s"]
    page.notes += sorted({str(error) for calls in found.values() for *_, error in calls.failures})[:5]
    page.publish(lambda axes: draw(axes, found))


def counts(calls):
    """(answered, failed, the first version's own, the second's, nobody's)."""
    return calls.answered, len(calls.failures), calls.by_version[0], calls.by_version[1], calls.other


def draw(axes, found):
    """Latency by percentile, a line for each way of asking."""
    shares = [number / 1000 for number in range(10, 1000, 10)] + [0.999]
    for name, calls in found.items():
        axes.plot([share * 100 for share in shares], [calls.percentile(share) for share in shares], label=name)
    axes.set_yscale("log")
    axes.set_xlabel("percentile of the answered calls")
    axes.set_ylabel("ms")
    axes.legend()


if __name__ == "__main__":
    app.run(paired.command(compare))
