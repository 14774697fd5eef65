"""Text in, proven version out."""
