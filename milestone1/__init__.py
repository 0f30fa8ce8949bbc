"""Milestone 1: from a bare laptop to a container of your own."""
