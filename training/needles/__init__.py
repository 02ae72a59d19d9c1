"""Needles in a haystack: does a model find one picture, or a chain of them, in a long film?"""
