"""Cells of spans in a text, as the text that JSON gives for them; or the tags of its words, with a space between."""

import json

from trainer.inputs.cells import ArrayColumn, as_text

FORMS = 'allowed are [[start, end, label], …], [{"start": …, "end": …, "label": …}, …] and a tag for each word'


class SpanColumn(ArrayColumn):
    """Name of a column whose cells are arrays of spans, or of tags; `scheme` is that of the tags."""

    empty = "[]"

    def __new__(cls, name, scheme):
        column = super().__new__(cls, name)
        column.scheme = scheme
        return column

    def joined(self, values):
        values = list(values)
        if values and all(isinstance(value, (str, bytes)) for value in values):
            return super().joined(values)
        return json.dumps([self._span(value) for value in values], ensure_ascii=False)

    def _span(self, value):
        """[start, end, label, and what stands there, if that is said] of a span as it was given."""
        if isinstance(value, dict):
            parts = [value.get(name) for name in ("start", "end", "label", "text")]
            parts = parts if parts[3] is not None else parts[:3]
        else:
            parts = list(value) if isinstance(value, (list, tuple)) or getattr(value, "shape", ()) else []
        try:
            start, end, *said = parts
            return [int(start), int(end), *(each if each is None else as_text(each, str(self)) for each in said)]
        except (TypeError, ValueError) as error:
            raise ValueError(f"column '{self}' has {str(value)[:60]} for a span; {FORMS}") from error
