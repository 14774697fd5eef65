"""A Hugging Face folder of a BERT that has a vocabulary and a size, and no weights yet."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Size:
    """layers; hidden: width of a token's vector; heads of attention; intermediate: width inside a layer; positions:
    the longest input in tokens."""

    layers: int
    hidden: int
    heads: int
    intermediate: int
    positions: int


def write(folder, vocabulary, settings, size):
    """Fills an empty folder.

    Args:
        folder: pathlib.Path. vocabulary: list of str, special tokens first. settings: NormalizerSettings. size: Size.
    """
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    _write_json(folder / "tokenizer.json", _tokenizer(vocabulary, settings))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(settings, size))
    _write_json(folder / "config.json", _config(len(vocabulary), size))


def _config(tokens, size):
    return {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "vocab_size": tokens,
        "hidden_size": size.hidden,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.intermediate,
        "max_position_embeddings": size.positions,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }


def _tokenizer_config(settings, size):
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": settings.lowercase,
        "strip_accents": settings.strip_accents,
        "tokenize_chinese_chars": settings.split_ideographs,
        "model_max_length": size.positions,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    }


def _tokenizer(vocabulary, settings):
    """What the `tokenizers` library saves of the same tokenizer."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    special = [token for token in vocabulary if token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": ids[token], "content": token, **plain} for token in special],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": settings.clean_text,
            "handle_chinese_chars": settings.split_ideographs,
            "strip_accents": settings.strip_accents,
            "lowercase": settings.lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "BertProcessing",
            "sep": ["[SEP]", ids["[SEP]"]],
            "cls": ["[CLS]", ids["[CLS]"]],
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
    }


def _write_json(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
