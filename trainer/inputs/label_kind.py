"""What every kind of label column has.

A kind has
- `name`, and `may_be_empty`: whether a row may have nothing there; `labelled`: whether there is such a column at all;
- `held_out_by`: what is on one side of a split that we make: equal rows ("row"), or equal second texts ("pair");
- `check(table)`: raises UserError, with file:line, for rows that nothing can be learned from;
- `strata(cells)`: one str per row, by which rows are held out evenly;
- `learned(splits)`: what the training rows say of it, ready for JSON, after every split was checked;
- `counts(cells, learned)`: {label: rows};
- `class_weights(spec, cells, learned)`: `<float32>[classes]` of --class_weights, or None.
"""


class LabelKind:
    """What most kinds share: a column there, under its own name, with cells in one form."""

    labelled = True

    held_out_by = "row"

    def text_column(self, name):
        """Under which name the readers look for the text."""
        return name

    def column(self, name):
        """Under which name they look for the labels."""
        return name

    def normalised(self, table):
        """The Table with its cells in one form. Raises UserError, with file:line, for those that are in none."""
        return table
