"""A WordPiece vocabulary learned from texts, on words exactly as the tokenizer splits them.

Source: the learner of tensorflow_text, https://www.tensorflow.org/text/guide/subwords_tokenizer.
"""

import collections

import tensorflow as tf
from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

from trainer.config import UserError
from trainer.inputs.tokens import encodable
from trainer.models.wordpiece import WordPiece

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LEAST_COUNT = 2  # a piece that stands in the text once can be learned nothing about
_LONE_SHARE = 0.75  # of the vocabulary, that characters which are words by themselves may fill


def count_words(tables, settings, progress=lambda rows: None):
    """Counter of the words of all texts.

    Args:
        tables: iterable of trainer.inputs Table. settings: NormalizerSettings. progress: callable, texts done.
    """
    splitter, counts, done = WordPiece(SPECIAL, settings), collections.Counter(), 0
    for table in tables:
        texts = tf.constant([encodable(text) for text in table.texts])
        counts.update(splitter.words(texts).flat_values.numpy().tolist())
        done += len(table)
        progress(done)
    return collections.Counter({word.decode(): count for word, count in counts.items()})


def learn(counts, size):
    """At most `size` tokens, a list of str: special tokens, single characters, then pieces by how often they stand.

    Characters that are words by themselves, as ideographs and punctuation are, take one token each. The learner would
    give each a second one, for the inside of words, where it never stands. Raises UserError for texts without words.
    """
    words = {word: count for word, count in counts.items() if count >= LEAST_COUNT and word not in SPECIAL}
    if not words:
        raise UserError(f"--input: no word stands there {LEAST_COUNT} times; give more text")
    lone, inner = _lone_characters(words), {word: count for word, count in words.items() if len(word) > 1}
    reserved = [*SPECIAL, *lone[: int(_LONE_SHARE * size)]]
    if not inner:
        return reserved
    left = size - len(reserved)
    found = learner.learn(
        sorted(inner.items()),
        vocab_size=size,
        reserved_tokens=reserved,
        lower_thresh=LEAST_COUNT,
        max_unique_chars=max(1, left // 4),  # each takes two tokens, and pieces need room too
    )
    return found[:size]


def _lone_characters(words):
    """Characters that stand in no longer word, the most frequent first, a list of str."""
    inside = {character for word in words if len(word) > 1 for character in word}
    lone = {word: count for word, count in words.items() if len(word) == 1 and word not in inside}
    return sorted(lone, key=lambda character: (-lone[character], character))
