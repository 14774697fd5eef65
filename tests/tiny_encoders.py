"""Tiny pre-trained-like encoders in local folders, and what they compute, written down once more in numpy.

Every folder of one kind holds the same weights: 2 layers, 2 heads, width 8, drawn from a fixed seed and wide enough
that texts get different vectors.
"""

import json
import math
import pathlib

import numpy as np

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [
    *("a", "the", "film", "plot", "is", "was", "great", "good", "bright", "bad", "dull", "awful", "never", "ever"),
    *("not", "and", "but", "very", "full", "of", "life", "see", "heard", "e", "n", "x", "σ", "ς", "é", "中", "国"),
    *("##ly", "##s", "##ing", "##o", "##a", "##e", "##n", ".", ",", "!", "-"),
]
VOCABULARY = SPECIAL + WORDS
LENGTH, LAYERS, HEADS, WIDTH, INNER = 48, 2, 2, 8, 16  # LENGTH: rows of the position table


def bert_folder(
    folder,
    *,
    vocabulary=VOCABULARY,
    files=("vocab.txt", "tokenizer.json"),
    pooler=True,
    positions=LENGTH,
    prefix="",
    **normal,
):
    """A Hugging Face folder of a BERT; `normal`: settings of its BertNormalizer."""
    folder = _folder(folder)
    arrays = bert_arrays(len(vocabulary), positions=positions, pooler=pooler)
    _save(folder, {prefix + name: array for name, array in arrays.items()})
    _write_json(folder / "config.json", _config("bert", len(vocabulary), positions))
    _write_wordpiece(folder, vocabulary, files, normal)
    return folder


def distilbert_folder(folder, *, files=("vocab.txt", "tokenizer.json"), prefix="distilbert."):
    """A Hugging Face folder of a DistilBERT."""
    folder = _folder(folder)
    renamed = {prefix + name: array for name, array in _distilbert_names(bert_arrays(len(VOCABULARY))).items()}
    _save(folder, renamed)
    config = {"dim": WIDTH, "n_heads": HEADS, "n_layers": LAYERS, "hidden_dim": INNER, "dropout": 0.1}
    _write_json(folder / "config.json", _config("distilbert", len(VOCABULARY)) | config)
    _write_wordpiece(folder, VOCABULARY, files, {})
    return folder


def roberta_folder(folder, *, files=("vocab.json", "merges.txt"), prefix="roberta."):
    """A Hugging Face folder of a RoBERTa with a byte-pair vocabulary of all bytes and a few merges."""
    folder = _folder(folder)
    vocabulary, merges = byte_pairs()
    arrays = bert_arrays(len(vocabulary), positions=LENGTH + 2)
    _save(folder, {prefix + name: array for name, array in arrays.items() if not name.startswith("pooler")})
    _write_json(folder / "config.json", _config("roberta", len(vocabulary)) | {"max_position_embeddings": LENGTH + 2})
    if "vocab.json" in files:
        _write_json(folder / "vocab.json", vocabulary)
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), "utf-8")
    if "tokenizer.json" in files:
        roberta_reference(vocabulary, merges).save(str(folder / "tokenizer.json"))
    return folder


def keras_hub_folder(folder, *, vocabulary=VOCABULARY, lowercase=True):
    """The BERT of `bert_folder` as KerasHub saves it."""
    import keras_hub

    folder = _folder(folder)
    source = bert_folder(folder.parent / f"{folder.name}-source", vocabulary=vocabulary)
    keras_hub.models.BertBackbone.from_preset(str(source)).save_to_preset(str(folder))
    keras_hub.models.BertTokenizer(vocabulary=list(vocabulary), lowercase=lowercase).save_to_preset(str(folder))
    return folder


def bert_arrays(vocabulary_size, *, positions=LENGTH, pooler=True):
    """{Hugging Face name: array} of the tiny BERT, each `<float32>`, dense kernels as [out, in]."""
    rng = np.random.default_rng(7)
    shapes = {
        "embeddings.word_embeddings.weight": (vocabulary_size, WIDTH),
        "embeddings.position_embeddings.weight": (positions, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _dense(f"{layer}attention.{name}", WIDTH, WIDTH)
        shapes |= _dense(f"{layer}intermediate.dense", INNER, WIDTH) | _dense(f"{layer}output.dense", WIDTH, INNER)
    shapes |= _dense("pooler.dense", WIDTH, WIDTH)
    arrays = {name: rng.normal(size=shape) * 0.5 for name, shape in shapes.items()}
    arrays["embeddings.position_embeddings.weight"] *= 0.2
    _praise_and_blame(arrays["embeddings.word_embeddings.weight"])
    norms = ["embeddings"] + [f"encoder.layer.{i}.{at}" for i in range(LAYERS) for at in ("attention.output", "output")]
    for name in norms:
        arrays[f"{name}.LayerNorm.weight"] = 1 + rng.normal(size=WIDTH) / 10
        arrays[f"{name}.LayerNorm.bias"] = rng.normal(size=WIDTH) / 10
    return {n: a.astype(np.float32) for n, a in arrays.items() if pooler or not n.startswith("pooler")}


def outputs(arrays, features, *, eps=1e-12, offset=0, segments=True, tanh_gelu=False):
    """(sequence `<float64>[batch, length, width]`, pooled `[batch, width]` or None) of the tiny BERT, in numpy.

    Args:
        features: {"token_ids", "padding_mask", "segment_ids"}: `<int>[batch, length]`.
        offset: first row of the position table that is used (2 in RoBERTa).
        tanh_gelu: whether GELU is Google's approximation of it.
    """
    p = {name: array.astype(np.float64) for name, array in arrays.items()}
    ids, mask = np.asarray(features["token_ids"]), np.asarray(features["padding_mask"])
    x = p["embeddings.word_embeddings.weight"][ids]
    x = x + p["embeddings.position_embeddings.weight"][offset : offset + ids.shape[1]]
    if segments:
        x = x + p["embeddings.token_type_embeddings.weight"][np.asarray(features["segment_ids"])]
    x = _norm(p, "embeddings.LayerNorm", x, eps)
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}."
        x = _norm(p, layer + "attention.output.LayerNorm", x + _attention(p, layer, x, mask), eps)
        inner = _linear(p, layer + "intermediate.dense", x)
        exact = 1 + np.vectorize(math.erf)(inner / math.sqrt(2))
        inner = (
            inner * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)) if tanh_gelu else exact)
        )
        x = _norm(p, layer + "output.LayerNorm", x + _linear(p, layer + "output.dense", inner), eps)
    pooled = np.tanh(_linear(p, "pooler.dense", x[:, 0])) if "pooler.dense.weight" in p else None
    return x, pooled


def bert_reference(vocabulary=VOCABULARY, **normal):
    """The reference tokenizer of `bert_folder`, as the `tokenizers` library runs it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(**normal)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    return tokenizer


def roberta_reference(vocabulary, merges):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"]), add_prefix_space=False
    )
    return tokenizer


def byte_pairs():
    """({token: id}, [(left, right), …]): RoBERTa's special tokens, all 256 bytes, and merges for a few words."""
    from tokenizers import pre_tokenizers

    merges = [("Ġ", "f"), ("i", "l"), ("Ġf", "il"), ("Ġfil", "m"), ("g", "r"), ("gr", "e"), ("a", "t"), ("gre", "at")]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokens += [left + right for left, right in merges] + ["<mask>"]
    return {token: i for i, token in enumerate(tokens)}, merges


def _praise_and_blame(embeddings):
    """What a pre-trained encoder would know: words that praise lie apart from words that blame."""
    for words, side in ((("good", "great", "bright"), 3.0), (("bad", "dull", "awful"), -3.0)):
        for word in words:
            embeddings[VOCABULARY.index(word), :2] = side


def _config(kind, vocabulary_size, positions=LENGTH):
    return {
        "model_type": kind,
        "vocab_size": vocabulary_size,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": positions,
        "type_vocab_size": 2,
        "hidden_dropout_prob": 0.1,
        "hidden_act": "gelu",
    }


def _folder(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    return folder


def _save(folder, arrays):
    import safetensors.numpy

    safetensors.numpy.save_file(arrays, folder / "model.safetensors", {"format": "pt"})


def _write_json(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _write_wordpiece(folder, vocabulary, files, normal):
    if "vocab.txt" in files:
        (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), "utf-8")
        config = {"do_lower_case": normal.get("lowercase", True), "strip_accents": normal.get("strip_accents")}
        _write_json(folder / "tokenizer_config.json", config)
    if "tokenizer.json" in files:
        bert_reference(vocabulary, **normal).save(str(folder / "tokenizer.json"))


def _dense(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _distilbert_names(arrays):
    renames = {
        "encoder.layer.": "transformer.layer.",
        "attention.self.query": "attention.q_lin",
        "attention.self.key": "attention.k_lin",
        "attention.self.value": "attention.v_lin",
        "attention.output.dense": "attention.out_lin",
        "attention.output.LayerNorm": "sa_layer_norm",
        "intermediate.dense": "ffn.lin1",
        "output.dense": "ffn.lin2",
        "output.LayerNorm": "output_layer_norm",
    }
    found = {}
    for name, array in arrays.items():
        for old, new in renames.items():
            name = name.replace(old, new)
        if not name.startswith("pooler") and "token_type" not in name:
            found[name] = array
    return found


def _attention(p, layer, x, mask):
    batch, length, _ = x.shape
    query, key, value = (
        _linear(p, f"{layer}attention.self.{name}", x).reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3)
        for name in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(WIDTH // HEADS)
    scores = np.where(mask[:, None, None, :] > 0, scores, -1e9)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (shares / shares.sum(-1, keepdims=True)) @ value
    return _linear(p, layer + "attention.output.dense", mixed.transpose(0, 2, 1, 3).reshape(x.shape))


def _linear(p, name, x):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def _norm(p, name, x, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) * p[name + ".weight"] + p[name + ".bias"]
