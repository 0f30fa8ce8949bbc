"""Milestone 2: use a text classifier and put it into an app."""
