"""Whether two models that answered the same rows differ by more than chance."""

from scipy import stats


def exact_p(only_first, only_second):
    """McNemar's exact two-sided p-value, of the rows that only the first or only the second got right.

    Under the null hypothesis each such row is a fair coin. Source: McNemar, Psychometrika 12 (1947).
    """
    rows = only_first + only_second
    return float(stats.binomtest(only_first, rows, 0.5).pvalue) if rows else 1.0
