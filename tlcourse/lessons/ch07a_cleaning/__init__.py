"""Lesson 07a: gaps, outliers, wrong labels, leaks."""
