"""Lesson 02d: choosing a pretrained model before any training."""
