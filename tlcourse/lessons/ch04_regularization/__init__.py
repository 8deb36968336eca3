"""Lesson 04: what keeps a network from learning its few labels by heart."""
