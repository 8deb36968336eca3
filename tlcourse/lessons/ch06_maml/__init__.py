"""Lesson 06: an initialisation from which a few steps solve a new task."""
