"""Proven versions into model_base_path: staged, checked, then one rename."""
