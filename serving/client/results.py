"""What a model answers, one immutable type per task."""

import dataclasses
from operator import itemgetter

import numpy as np


class Classification(tuple):
    """The label of one text.

    label: the most probable one. score: its probability. probabilities: of every label, in the contract's order, a dict
    made at each look: most programs never ask. truncated: the text was longer than the model reads. abstain: the model
    declines to answer. out_of_scope: how far the text is from what was learned; None where the version does not say.
    """

    # A tuple, because thousands are made at once: (label, score, truncated, abstain, out_of_scope, names, values).
    __slots__ = ()

    def __new__(cls, label, score, probabilities, truncated, abstain, out_of_scope=None):
        names, values = tuple(probabilities), tuple(probabilities.values())
        return tuple.__new__(cls, (label, score, truncated, abstain, out_of_scope, names, values))

    label, score, truncated, abstain, out_of_scope = (property(itemgetter(place)) for place in range(5))

    @property
    def probabilities(self):
        return dict(zip(self[5], self[6], strict=True))

    def __getnewargs__(self):
        return tuple(self.to_dict().values())

    def __repr__(self):
        return f"Classification({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def to_dict(self):
        """The fields as plain Python values, ready for JSON; out_of_scope where there is one."""
        found = {name: getattr(self, name) for name in ("label", "score", "probabilities", "truncated", "abstain")}
        return found if self.out_of_scope is None else found | {"out_of_scope": self.out_of_scope}


@dataclasses.dataclass(frozen=True, slots=True)
class MultiLabel:
    """The labels of one text, any number of them.

    labels: those selected, the most probable first. probabilities: of every label, in the contract's order. truncated:
    the text was longer than the model reads.
    """

    labels: tuple[str, ...]
    probabilities: dict[str, float]
    truncated: bool

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self) | {"labels": list(self.labels)}


@dataclasses.dataclass(frozen=True, slots=True)
class Regression:
    """The score of one text, or of a pair. truncated: the text was longer than the model reads."""

    value: float
    truncated: bool

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, slots=True)
class Entity:
    """A span of a text: `text[start:end]`, counted in characters of a Python str.

    score: mean probability of its tokens' labels.
    """

    start: int
    end: int
    text: str
    label: str
    score: float


@dataclasses.dataclass(frozen=True, slots=True)
class Tagging:
    """The spans of one text, in their order. truncated: the text was longer than the model reads."""

    entities: tuple[Entity, ...]
    truncated: bool

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self) | {"entities": [dataclasses.asdict(each) for each in self.entities]}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Where in its context the answer to a question stands: `context[start:end] == answer`, counted in characters.

    score: the probability of what is said. answerable: whether the context has an answer; without one `answer` is ""
    and `start` and `end` are −1. truncated: question or context were longer than the model reads.
    """

    answer: str
    start: int
    end: int
    score: float
    answerable: bool
    truncated: bool

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Embedding:
    """The vector of one text, `<float32>[dimensions]`, of length 1. truncated: the text was longer than is read."""

    vector: np.ndarray
    truncated: bool

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return {"vector": self.vector.tolist(), "truncated": self.truncated}


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """An entry of a FAQ. question: the nearest of its questions; score: the cosine of the text and this question."""

    id: str
    question: str
    answer: str
    score: float


@dataclasses.dataclass(frozen=True, slots=True)
class Matches:
    """The entries that are nearest to one text, the nearest first."""

    matches: tuple[Match, ...]

    def to_dict(self):
        """The entries as plain Python values, ready for JSON."""
        return {"matches": [dataclasses.asdict(each) for each in self.matches]}


@dataclasses.dataclass(frozen=True, slots=True)
class Multi:
    """The answers of several heads to one text, of one pass; heads: {name: Classification, Tagging, …}."""

    heads: dict[str, object]
    truncated: bool

    def __getitem__(self, name):
        return self.heads[name]

    def to_dict(self):
        """The heads' own dicts by name, ready for JSON."""
        return {name: result.to_dict() for name, result in self.heads.items()} | {"truncated": self.truncated}


@dataclasses.dataclass(frozen=True, eq=False)
class Outputs:
    """One row of any signature: output name → Python scalar, str, or array of the row's shape."""

    values: dict[str, object]

    def to_dict(self):
        """The outputs as plain Python values, ready for JSON."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in self.values.items()}


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """A version of the model in the server.

    state: START, LOADING, AVAILABLE, UNLOADING or END. error: why it failed to load, or "".
    """

    version: int
    state: str
    error: str

    def to_dict(self):
        """The fields as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)
