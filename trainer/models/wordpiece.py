"""BERT's WordPiece tokenization as plain TensorFlow ops, equal to the reference Rust `tokenizers` id for id.

KerasHub's BertTokenizer and tf.text's FastBertTokenizer lower-case with an NFKC case fold (full-width comma becomes a
comma, ß becomes ss) and so disagree with the tokenizer that the published encoders were trained with. The order of
operations below is that of `tokenizers.normalizers.BertNormalizer` and `pre_tokenizers.BertPreTokenizer`. It uses no
`TFText>` op that TF Serving 2.17 or later lacks. Of all characters of Unicode 683 rare ones differ, nearly all of them
marks and punctuation newer than the reference's tables.
"""

import dataclasses
import hashlib
import json

import tensorflow as tf
import tensorflow_text as tf_text

MAX_WORD_CHARACTERS = 100  # longer words are the unknown token, as in the reference
_IDEOGRAPHS = (
    r"([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}"
    r"\x{2B920}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}])"
)
_PUNCTUATION = r"([!-/:-@\[-`{-~]|\p{P})"


@dataclasses.dataclass(frozen=True)
class NormalizerSettings:
    """What `BertNormalizer` of a tokenizer.json may switch off; `strip_accents=None` follows `lowercase`."""

    lowercase: bool = True
    strip_accents: bool | None = None
    clean_text: bool = True
    split_ideographs: bool = True

    def strips_accents(self):
        return self.lowercase if self.strip_accents is None else self.strip_accents


class WordPiece:
    """Text to token ids, without special tokens.

    Args:
        vocabulary: list of str; the line number of a token is its id.
        settings: NormalizerSettings.
        unknown: str; the token of words that the vocabulary cannot spell.

    Raises:
        ValueError: `unknown` is not in the vocabulary.
    """

    def __init__(self, vocabulary, settings=NormalizerSettings(), unknown="[UNK]"):
        self.vocabulary = list(vocabulary)
        self.settings = settings
        self.unknown = unknown
        self.token_id(unknown)
        self._pieces = tf_text.FastWordpieceTokenizer(
            self.vocabulary,
            unknown_token=unknown,
            no_pretokenization=True,
            max_bytes_per_word=4 * MAX_WORD_CHARACTERS,
        )

    @property
    def fingerprint(self):
        """`sha256:…` over the tokens in order and the settings: equal fingerprints give equal ids."""
        content = json.dumps([self.vocabulary, dataclasses.asdict(self.settings), self.unknown], ensure_ascii=True)
        return "sha256:" + hashlib.sha256(content.encode()).hexdigest()

    @property
    def vocabulary_size(self):
        return len(self.vocabulary)

    def token_id(self, token):
        """Raises ValueError where the vocabulary has no such token."""
        if token not in self.vocabulary:
            raise ValueError(f"the vocabulary of {len(self.vocabulary)} tokens has no {token!r}")
        return self.vocabulary.index(token)

    def __call__(self, text):
        """`<string>[batch]` to `<int32>[batch, (tokens)]`; invalid UTF-8 is dropped."""
        ids, _ = self.pieces(self.words(text))
        return tf.cast(ids.merge_dims(1, 2), tf.int32)

    def words(self, text):
        """`<string>[batch]` to normalized words, `<string>[batch, (words)]`."""
        return tf.strings.split(self._split_marks(self._normalize(text)))

    def pieces(self, words):
        """Words `<string>[batch, (words)]` to pieces, ids and first bytes, both `<int>[batch, (words), (pieces)]`.

        Bytes are counted in the word, which its pieces cover without a gap; an unknown word is one piece.
        """
        too_long = tf.strings.length(words.flat_values, unit="UTF8_CHAR") > MAX_WORD_CHARACTERS
        words = words.with_flat_values(tf.where(too_long, self.unknown, words.flat_values))
        ids, first, _ = self._pieces.tokenize_with_offsets(words)
        return ids, first

    def _normalize(self, text):
        settings = self.settings
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
        if settings.clean_text:
            text = tf.strings.regex_replace(text, r"[\t\n\r\p{Z}]", " ")
            text = tf.strings.regex_replace(text, r"[\x{FFFD}\p{C}]", "")
        else:
            text = tf.strings.regex_replace(text, r"[\t-\r\x{85}\p{Z}]", " ")  # words end there all the same
            text = tf.strings.regex_replace(text, r"\x00", "\x01")  # ICU would end the text at a NUL
        if settings.split_ideographs:
            text = tf.strings.regex_replace(text, _IDEOGRAPHS, r" \1 ")
        if settings.strips_accents():
            text = tf_text.normalize_utf8(text, "NFD")
            text = tf.strings.regex_replace(text, r"\p{Mn}", "")
        if settings.lowercase:
            # ICU lowers a word-final Σ to ς; the reference lowers character by character, always to σ.
            text = tf.strings.regex_replace(text, "Σ", "σ")
            text = tf.strings.lower(text, encoding="utf-8")
        return text

    def _split_marks(self, text):
        return tf.strings.regex_replace(text, _PUNCTUATION, r" \1 ")
