"""Labelled text in, batches out."""
