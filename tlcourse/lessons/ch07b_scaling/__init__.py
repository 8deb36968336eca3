"""Lesson 07b: units, shift, and rare classes."""
