"""The trained model to a SavedModel that takes raw text, proven equal to it before anybody may serve it."""
