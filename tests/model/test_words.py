import pytest

from model.vision.vocabulary import COCO_CLASSES, IMAGENET_CLASSES, with_article, word_table

TABLE = word_table()


def test_every_class_of_the_networks_has_a_word():
    assert len(TABLE.of_imagenet) == IMAGENET_CLASSES
    assert len(TABLE.of_coco) == COCO_CLASSES
    assert min(TABLE.of_imagenet) >= 0
    assert min(TABLE.of_coco) >= 0


def test_words_are_told_apart_by_their_names():
    assert len({word.name for word in TABLE.words}) == len(TABLE)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (207, "dog"),
        (285, "cat"),
        (817, "car"),
        (948, "apple"),
        (296, "polar bear"),
        (6, "stingray"),
    ],
)
def test_a_class_is_called_what_people_say(kind, word):
    assert TABLE[TABLE.of_imagenet[kind]].name == word


def test_what_a_class_is_called_is_its_kind_unless_it_is_the_word_itself():
    assert TABLE.kinds[207] == "golden retriever"
    assert TABLE.kinds[340] == ""  # a zebra is a zebra


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("hourglass", "an hourglass"),
        ("unicycle", "a unicycle"),
        ("broccoli", "broccoli"),
        ("scissors", "scissors"),
    ],
)
def test_words_take_the_article_that_people_give_them(name, said):
    assert with_article(name) == said
