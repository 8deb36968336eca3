"""Lesson 02c: what reading teaches a network."""
