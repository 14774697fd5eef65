"""Repairs labelled text: only what is asked for, and with a log of every change."""
