"""Tests of understanding with a model."""
