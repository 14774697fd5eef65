"""What is wrong with labelled text, with file and line, before anybody learns from it."""
