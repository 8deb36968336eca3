"""Lesson 07c: changed copies of what is labelled."""
