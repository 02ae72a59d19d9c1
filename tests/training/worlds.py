"""Small stand-ins for what is taught to read: an embedding of random rows, one token a letter."""

import torch

from model.vision.things import CODE, pack
from model.vision.vocabulary import word_table
from model.vision.word_projector import WordProjector

LOOK, THINGS, SEEN, ROOM = 8, 8, 6, 18


def plain(text):
    """Words are tokens: a number of their letters."""
    return [sum(map(ord, word)) % 997 for word in text.split()]


def projector():
    torch.manual_seed(0)
    embedding = torch.randn(997, 16)
    return WordProjector(embedding, plain, word_table(), THINGS, LOOK, ROOM, SEEN).requires_grad_(
        False
    )


def rows(things):
    made = torch.zeros(THINGS + 16, LOOK + CODE)
    made[:THINGS, LOOK:] = pack(things, THINGS)
    return made
