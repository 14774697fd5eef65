"""What `--mode` names; the only room that joins training with export."""
