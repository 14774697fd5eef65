"""One command per figure that the README or BUILD.md claims, each beside its peer in the same run."""
