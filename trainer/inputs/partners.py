"""Other texts of some rows of windows: the second one of a pair, which vectors are learned from, and maybe a third."""

import dataclasses

import numpy as np

from trainer.inputs.tokens import TokenIds


class Partners:
    """Where the texts of each row are, once those that belong to a text stand behind all windows.

    windows: the TextWindows with the tokens of all, those of the partners being no text's own. places: `<int64>[rows,
    most]`, each row's window and its partners, the window again where there are fewer. columns: `<int64>[rows]`, texts
    of each row. of_head: {head: (texts `<int64>[labelled]`, places of their partners `<int64>[labelled, partners]`)}.

    Args:
        windows: TextWindows. first: `<bool>[windows]`, whether each is its text's first, which alone has partners.
        given: {head: (texts, TokenIds of their second texts, of their third ones, …)}.
    """

    def __init__(self, windows, first, given):
        count, firsts, parts = len(windows.text), np.flatnonzero(first), [windows.tokens]
        most = max((len(columns) for _, *columns in given.values()), default=0)
        self.places = np.repeat(np.arange(count)[:, np.newaxis], 1 + most, axis=1)
        self.columns, self.of_head = np.ones(count, np.int64), {}
        for name, (texts, *columns) in given.items():
            starts = np.cumsum([len(each) for each in (*parts, *columns)])[len(parts) - 1 : -1]
            places = starts + np.arange(len(texts))[:, np.newaxis]
            rows, parts = firsts[texts], parts + columns
            self.places[rows, 1 : 1 + len(columns)] = places
            self.columns[rows] = 1 + len(columns)
            self.of_head[name] = texts, places
        self.windows = _longer(windows, parts) if given else windows

    def of(self, rows):
        """`<int64>[rows · columns]`: the texts of some rows, one row after the other, as many of each as any has."""
        return self.places[rows, : self.width(rows)].reshape(-1)

    def width(self, rows):
        """Texts of a row in a batch of these rows."""
        return int(self.columns[rows].max(initial=1))

    def apart(self, rows, batch_size):
        """Yields rows with as many texts each, whole batches of them; then what is left of all."""
        left = []
        for width in np.unique(self.columns):
            own = rows[self.columns[rows] == width]
            whole = len(own) // batch_size * batch_size
            left.append(own[whole:])
            yield own[:whole]
        yield np.concatenate(left)


@dataclasses.dataclass(frozen=True)
class PairVectors:
    """Vectors `<float32>[texts, hidden]`, and of the texts `rows` `<int64>[labelled]` those of their partners.

    partners: `<float32>[labelled, partners, hidden]`.
    """

    vectors: np.ndarray
    rows: np.ndarray
    partners: np.ndarray

    def __len__(self):
        return len(self.vectors)

    def pairs(self):
        """`<float32>[labelled, 1 + partners, hidden]`: each of those texts, and its partners behind it."""
        return np.concatenate([self.vectors[self.rows][:, np.newaxis], self.partners], axis=1)


def _longer(windows, parts):
    """The TextWindows with the tokens of all parts, those behind its own being of no text."""
    lengths = np.concatenate([each.lengths for each in parts])
    ids, first, truncated = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("ids", "first", "truncated")
    )
    own = np.append(windows.own, np.zeros(len(ids) - len(windows.own), bool))
    tokens = TokenIds(ids, np.append(0, np.cumsum(lengths)), first, truncated)
    return dataclasses.replace(windows, tokens=tokens, own=own)
