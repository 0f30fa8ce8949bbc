"""Milestone 3: load comments, encode them, fine-tune BERT on six labels, and evaluate it honestly."""
