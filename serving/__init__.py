"""Proven version in, answers out."""
