"""Getting and readying text; run once, before training."""
