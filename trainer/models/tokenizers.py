"""The tokenizer that belongs to an encoder: WordPiece where it can be had, else KerasHub's own, always as graph ops."""

import hashlib
import json

import keras_hub
import tensorflow as tf

from trainer.models.preprocessor import SpecialTokens
from trainer.models.wordpiece import NormalizerSettings, WordPiece

_WORDPIECE_MODELS = ("bert", "distilbert", "electra")


def load(source, folder):
    """(tokenizer, SpecialTokens) of a preset name or folder.

    Args:
        source: str; what KerasHub's `from_preset` takes.
        folder: pathlib.Path of a local folder, or None for a preset name.

    Raises:
        ValueError: no vocabulary, or one without the special tokens.
    """
    config = json.loads((folder / "config.json").read_text()) if folder else {}
    model_type = config.get("model_type")
    if model_type in _WORDPIECE_MODELS:
        return _framed(_hugging_face_wordpiece(folder))
    if model_type == "roberta" and not (folder / "vocab.json").is_file():
        return _hub_framed(_roberta_from_tokenizer_json(folder))
    hub = keras_hub.models.Tokenizer.from_preset(source)
    if isinstance(hub, keras_hub.tokenizers.WordPieceTokenizer):
        settings = NormalizerSettings(lowercase=hub.lowercase, strip_accents=hub.strip_accents or None)
        return _framed(WordPiece(hub.get_vocabulary(), settings))
    return _hub_framed(hub)


class HubTokenizer:
    """A KerasHub byte-pair or SentencePiece tokenizer that always runs its TensorFlow form.

    Eagerly KerasHub runs a Python form, which differs from the graph on control characters and on bytes that the
    vocabulary lacks; a served model only ever runs the graph.
    """

    def __init__(self, hub):
        hub.unsplittable_tokens = []  # "<s>" in a text is three characters of it, never the special token
        self.hub = hub
        self._graph = tf.function(self._tokenize, input_signature=[tf.TensorSpec([None], tf.string)])

    @property
    def vocabulary_size(self):
        return self.hub.vocabulary_size()

    @property
    def fingerprint(self):
        config = dict(self.hub.get_config(), dtype=None, name=None)
        content = json.dumps([self.hub.get_vocabulary(), config], default=str)
        return "sha256:" + hashlib.sha256(content.encode()).hexdigest()

    def __call__(self, text):
        """`<string>[batch]` to `<int32>[batch, (tokens)]`; a piece that the vocabulary lacks is left out."""
        return self._graph(text)

    def _tokenize(self, text):
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
        text = tf.strings.regex_replace(text, r"\x00", "")  # the hub's ops would end the text there
        ids = tf.cast(self.hub.tokenize(text), tf.int32)
        return tf.ragged.boolean_mask(ids, ids >= 0)


def _framed(wordpiece):
    ids = [wordpiece.token_id(token) for token in ("[CLS]", "[SEP]", "[PAD]")]
    return wordpiece, SpecialTokens(start=ids[0], separator=(ids[1],), end=ids[1], pad=ids[2])


def _hub_framed(hub):
    """ALBERT frames as BERT does; RoBERTa and XLM-R as <s> a </s></s> b </s>."""
    if getattr(hub, "cls_token_id", None) is not None:
        special = SpecialTokens(hub.cls_token_id, (hub.sep_token_id,), hub.sep_token_id, hub.pad_token_id)
    else:
        end = hub.end_token_id
        special = SpecialTokens(hub.start_token_id, (end, end), end, hub.pad_token_id)
    return HubTokenizer(hub), special


def _hugging_face_wordpiece(folder):
    """WordPiece of a Hugging Face folder; transformers 5 writes tokenizer.json alone, older ones vocab.txt too."""
    tokenizer_json = folder / "tokenizer.json"
    fast = json.loads(tokenizer_json.read_text(encoding="utf-8")) if tokenizer_json.is_file() else {}
    if (folder / "vocab.txt").is_file():
        text = (folder / "vocab.txt").read_text(encoding="utf-8")
        vocabulary = [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]
    elif fast.get("model", {}).get("type") == "WordPiece":
        ids = fast["model"]["vocab"]
        vocabulary = sorted(ids, key=ids.get)
    else:
        raise ValueError("no vocab.txt and no WordPiece tokenizer.json; one of them must be there")
    return WordPiece(vocabulary, _normalizer_settings(folder, fast))


def _normalizer_settings(folder, fast):
    normalizer = fast.get("normalizer") or {}
    if normalizer.get("type") == "BertNormalizer":
        return NormalizerSettings(
            lowercase=normalizer.get("lowercase", True),
            strip_accents=normalizer.get("strip_accents"),
            clean_text=normalizer.get("clean_text", True),
            split_ideographs=normalizer.get("handle_chinese_chars", True),
        )
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return NormalizerSettings(
        lowercase=config.get("do_lower_case", True),
        strip_accents=config.get("strip_accents"),
        split_ideographs=config.get("tokenize_chinese_chars", True),
    )


def _roberta_from_tokenizer_json(folder):
    path = folder / "tokenizer.json"
    model = json.loads(path.read_text(encoding="utf-8")).get("model", {}) if path.is_file() else {}
    if model.get("type") != "BPE":
        raise ValueError("no vocab.json with merges.txt and no BPE tokenizer.json; one of them must be there")
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return keras_hub.models.RobertaTokenizer(vocabulary=model["vocab"], merges=merges)
