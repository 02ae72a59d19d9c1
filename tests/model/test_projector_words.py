import torch
from torch.nn.functional import cosine_similarity

from model.vision.things import CODE, Thing, pack
from model.vision.vocabulary import word_table
from tests.training.worlds import LOOK, THINGS, plain, projector, rows

TABLE = word_table()
DOG, CAT = TABLE.number["dog"], TABLE.number["cat"]


def test_a_caption_is_the_language_models_own_text():
    network = projector()
    tokens = network(rows([Thing(DOG, count=2)])[None])[0]
    text = plain(" two") + plain(" dogs")
    for token, expected in zip(tokens, network.embedding[text], strict=False):
        torch.testing.assert_close(token, expected + network.spelled)
    assert torch.equal(tokens[len(text)], network.blank)


def test_a_clip_of_which_nothing_is_known_has_a_blank_caption():
    network = projector()
    tokens = network(rows([])[None])[0]
    assert all(torch.equal(token, network.blank) for token in tokens[:18])


def test_a_visual_token_lies_towards_the_words_that_are_believed_of_it():
    network = projector()
    seen = rows([])
    seen[THINGS, LOOK : LOOK + 4] = torch.tensor([DOG, CAT, 0, 0])
    seen[THINGS, LOOK + 4 : LOOK + 8] = torch.tensor([0.9, 0.1, 0.0, 0.0])
    token = network(seen[None])[0, 18] - network.place(torch.zeros(4)) - network.down.bias
    near, far = (cosine_similarity(token, network.words[n], dim=0) for n in (DOG, CAT))
    assert near > 0.9
    assert near > far


def test_rows_in_half_precision_name_every_word_exactly():
    network = projector()
    last = len(TABLE) - 1
    whole = network(rows([Thing(last)])[None])
    half = network(rows([Thing(last)])[None].half())
    torch.testing.assert_close(whole, half)


def test_an_untrained_projector_ignores_the_look():
    network = projector()
    one, other = rows([Thing(DOG)]), rows([Thing(DOG)])
    other[THINGS:, :LOOK] = 1.0
    torch.testing.assert_close(network(one[None]), network(other[None]))


def test_details_of_a_thing_reach_the_language_model():
    network = projector()
    left = network(rows([Thing(DOG, movement=0)])[None])
    right = network(rows([Thing(DOG, movement=1)])[None])
    assert not torch.equal(left, right)


def test_things_lie_behind_the_look():
    assert rows([Thing(DOG)]).shape == (24, LOOK + CODE)
    assert rows([Thing(DOG)])[0, LOOK] == pack([Thing(DOG)], 1)[0, 0]
