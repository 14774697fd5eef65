"""TensorFlow Datasets: tfds:NAME[/CONFIG][:VERSION] for all splits of a data set, and @SPLIT behind it for one."""

import contextlib
import dataclasses
import logging
import os
import re
import sys
import urllib.parse

from trainer.config import TFDS, EnvironmentFault, UserError
from trainer.inputs import records
from trainer.inputs.columns import nearest

_ADDRESS = re.compile(rf"{TFDS}(?P<name>\w+)(?:/(?P<config>[^/:@]+))?(?::(?P<version>[\d.]+))?(?:@(?P<split>.+))?")
_BATCH = 1024  # examples that are decoded together
_TIMEOUT = (10, 15)  # seconds for a host to be reached, and to answer
_HOSTS = 3  # hosts of which one must answer before a download begins


@dataclasses.dataclass(frozen=True)
class Split:
    """The rows of one split of a prepared data set."""

    builder: object
    split: str

    def __str__(self):
        info = self.builder.info
        return f"{TFDS}{info.full_name.removesuffix('/' + str(info.version))}:{info.version}@{self.split}"

    def rows(self, wanted, fault):
        """Yields (example, cells): example numbers count from 1 in the order in which the files hold them."""
        features = _scalars(self)
        if not records.found(sorted(features), wanted, fault):
            return
        classes = {name: features[name].names for name in wanted if hasattr(features[name], "names")}
        first = 1
        for columns in self._batches(wanted):
            yield from records.rows(columns, wanted, fault, classes, first)
            first += len(columns[0])

    def _batches(self, wanted):
        """Yields [values of each wanted feature] of some examples; of other features nothing is decoded."""
        import tensorflow as tf
        import tensorflow_datasets as tfds

        try:
            with _quiet():
                examples = self.builder.as_dataset(
                    split=self.split,
                    shuffle_files=False,
                    decoders=tfds.decode.PartialDecoding(dict.fromkeys(wanted, True)),
                    # one shard after the other: rows keep their order
                    read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
                )
            for batch in tfds.as_numpy(examples.batch(_BATCH)):
                yield [batch[name] for name in wanted]
        except (tf.errors.OpError, OSError) as error:
            reason = records.first_line(str(error).rpartition("}} ")[2], error)  # behind the name of TensorFlow's node
            raise UserError(
                f"{self}: cannot be read: {reason}; delete {self.builder.data_path}, and it is prepared anew"
            ) from error


@contextlib.contextmanager
def _quiet():
    """Keeps back what TFDS's partial decoding warns of: its own use of a name that TFDS deprecated."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def one_split(given, data_dir=""):
    """The Split of tfds:NAME@SPLIT. Raises UserError as `all_splits` does, and where no split is named."""
    found = all_splits(given, data_dir)
    if list(found) != [_parsed(given)["split"]]:
        raise UserError(f"{given}: name one of its splits: {', '.join(f'{given}@{name}' for name in found)}")
    return next(iter(found.values()))


def all_splits(given, data_dir=""):
    """{name: Split} of a data set, downloaded and prepared first where it is not there yet.

    Args:
        given: str, tfds:NAME[/CONFIG][:VERSION][@SPLIT]; with @SPLIT that one alone. data_dir: folder of prepared
            data sets; "" for TFDS's own.

    Raises:
        UserError: no such data set, configuration, version or split.
        EnvironmentFault: it must be downloaded, and that fails.
    """
    address = _parsed(given)
    builder = _builder(given, address, data_dir)
    if not builder.data_path.exists():  # TFDS makes it by one rename
        _prepare(given, builder)
    names = [address["split"]] if address["split"] else list(builder.info.splits)
    unknown = next((name for name in names if name.partition("[")[0] not in builder.info.splits), None)
    if unknown is not None:
        raise UserError(f"{given}: no split '{unknown}'{_hint(unknown, builder.info.splits)}")
    for name in names if address["split"] else ():
        _check_slice(given, name, builder)
    return {name: Split(builder, name) for name in names}


def _check_slice(given, split, builder):
    """Raises UserError for a part of a split that is not well-formed, as in train[:10."""
    import tensorflow_datasets as tfds

    try:
        tfds.core.ReadInstruction.from_spec(split).to_absolute(builder.info.splits)
    except (ValueError, AssertionError) as error:
        reason = records.first_line(str(error), error)
        raise UserError(f"{given}: no part of a split, as in @train[:10%]: {reason}") from error


def _parsed(given):
    match = _ADDRESS.fullmatch(given)
    if not match:
        raise UserError(f"{given}: allowed is {TFDS}NAME[/CONFIG][:VERSION][@SPLIT], as in {TFDS}glue/sst2")
    return match.groupdict()


def _builder(given, address, data_dir):
    import tensorflow_datasets as tfds

    name = "/".join(filter(None, (address["name"], address["config"])))
    name += f":{address['version']}" if address["version"] else ""
    try:
        return tfds.builder(name, data_dir=os.path.expanduser(data_dir) or None)
    except tfds.core.DatasetNotFoundError as error:
        folder = os.path.expanduser(data_dir) or tfds.core.constants.DATA_DIR
        prepared = os.listdir(folder) if os.path.isdir(folder) else []
        hint = _hint(address["name"], {*prepared, *tfds.list_builders(with_community_datasets=False)})
        raise UserError(f"{given}: TensorFlow Datasets {tfds.__version__} has no such data set{hint}") from error
    except (ValueError, AssertionError) as error:
        config, configs = address["config"], tfds.builder_cls(address["name"]).builder_configs
        if config and config not in configs:
            raise UserError(f"{given}: no configuration '{config}'{_hint(config, configs)}") from error
        versions = tfds.builder(name.partition(":")[0]).versions
        listed = ", ".join(sorted(map(str, versions)))
        raise UserError(f"{given}: no version '{address['version']}' (versions: {listed})") from error


def _hint(word, known):
    known = sorted(known)
    near = nearest(word, known)
    listed = f" ({', '.join(known)})" if len(known) <= 20 else ""
    return (f"; did you mean '{near}'?" if near else "") + listed


def _prepare(given, builder):
    """Downloads and prepares, with TFDS's own progress; what fails leaves nothing that looks prepared."""
    import requests

    _check_reachable(given, builder)
    print(f"{given} is not in {builder.data_path.parent}: downloading and preparing it", file=sys.stderr)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where TFDS reports; results alone go to stdout
            builder.download_and_prepare()
    except (requests.RequestException, ImportError) as error:
        raise EnvironmentFault(f"{given}: cannot be downloaded: {error}") from error
    except Exception as error:  # of any of the hundreds of scripts that TFDS runs
        if getattr(error, "errno", None):
            raise
        reason = records.first_line(str(error), error)
        raise EnvironmentFault(f"{given}: TensorFlow Datasets cannot prepare it: {reason}") from error


def _check_reachable(given, builder):
    """Raises EnvironmentFault where no host of the data set answers: TFDS itself would try for minutes."""
    import requests

    urls = [url for url in builder.url_infos or () if url.startswith("http")]
    hosts = list(dict.fromkeys(urllib.parse.urlsplit(url).netloc for url in urls))[:_HOSTS]
    for host in hosts:
        with contextlib.suppress(requests.RequestException):
            requests.head(next(url for url in urls if urllib.parse.urlsplit(url).netloc == host), timeout=_TIMEOUT)
            return
    if hosts:
        raise EnvironmentFault(
            f"{given} is not in {builder.data_path.parent} and cannot be downloaded: {', '.join(hosts)} cannot be "
            "reached; prepare it where there is a network and give its folder with --tfds_dir"
        )


def _scalars(split):
    """{name: feature} of the features that are one text, number or class; other kinds are no column."""
    features = split.builder.info.features
    return {name: f for name, f in (features.items() if hasattr(features, "items") else ()) if f.shape == ()}
