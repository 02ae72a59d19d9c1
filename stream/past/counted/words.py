"""Which questions are counted, not put to the language model: a grammar that the whole question has to fit.

    long      how long was the cat there                sort      what animals have you seen
    often     how often did the cat come                still     is the cat still there
    gone      has the cat left                          left      when did the cat leave
    last      when did you last see the cat             which     which came last, the cat or the dog
    before    did the cat come before the dog           changed   did anything change
    about     tell me about the cat                     who       who is there
    ever      was anybody there                         again     did the cat come back
    things    how many different things have you seen   none      how many people are there
    many      how many cats were there                  kinds     how many animals were there
    longest   which animal was there longest            oftenest  what was shown most often
    shortest  what was there for the shortest time      rarest    what came least often
    apart     how long between the cat and the dog      without   when was nobody there
    colour    what colour was the car                   way       which way did the car move
    place     where was the cat                         between   what came between the cat and the dog
    when      when was the cat shown                    seen      was there a cat | have you seen the cat
    moved     what moved | is anything moving           colours   what colours did you see
    coloured  what was red | did you see anything red
    whereabouts   where was the cat last seen           nth       what was the second thing you saw
    span      how long is the video                     scenes    how many scenes were there
    present   is there a cat, of what is live

Names are those of the table of words, with a colour before them or none. What names something else, or
asks for anything besides, fits nothing and is put to the language model as it stands. How things lie to each
other has a grammar of its own (`stream/past/counted/relation_words.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from model.vision.things import MOVEMENTS
from model.vision.vocabulary import COLOURS, WordTable, plurals_of, with_article, word_table
from stream.past.counted.forms import Kind, fitting
from stream.past.counted.relation_words import Relation, asks_of_relation
from stream.past.counted.sorts import sorts
from stream.past.second_look import named_words

_LONGEST = 200  # characters of what can still be such a question

_OF_ALL = frozenset({"changed", "colours", "nth", "span", "scenes"})
_RANKED = frozenset({"longest", "shortest", "oftenest", "rarest"})
_OF_A_SORT = _RANKED | {"sort", "kinds"}
_ANYTHING = frozenset({
    "", "things", "objects", "anything", "something", "movement", "movements", "motion",
})  # fmt: skip
_ALL_THINGS = frozenset({"anyone", "thing", "things", "one", "ones", "object", "item", "scene"})
"""What is ranked; "anyone" where nothing is named."""
_PEOPLE = frozenset({"anyone", "anybody", "someone", "somebody", "everyone", "everybody"})


@dataclass(frozen=True, slots=True)
class Counting:
    """What is to be counted.

    Attributes:
        kind: What of it is asked for, as above.
        name: As the question says it.
        words: The numbers of the words that it covers.
        colour: The number of the colour that it must have, if any.
        other: What it is compared with, if anything.
        order: How, in the question's word: "first", "before", "longer"; or the verb of what asks how it is now; else empty.
    """

    kind: Kind
    name: str
    words: frozenset[int]
    colour: int | None = None
    other: "Counting | None" = None
    order: str = ""


def asks_to_count(text: str) -> Counting | Relation | None:
    """Return what `text` asks to count; None if it asks for something else, or names what has no word.

    Args:
        text: Its last line is what was asked.
    """
    asked = text.rpartition("\n")[2]
    if len(asked) > _LONGEST:
        return None
    plain = " ".join(re.findall(r"[a-z'-]+|[^\sa-z,.;:!?]", asked.lower()))
    for kind, said in fitting(plain):
        if counting := _counting(kind, said):
            return counting
    return asks_of_relation(plain, _name)


def named_with_article(name: str) -> str:
    """Return "a cat", "any cats", "any food", "anyone": a name as it follows "I have not seen"."""
    if name in _PEOPLE:
        return "anyone"
    bare = with_article(name) == name
    stuff = bare and name in sorts(word_table())
    return f"any {name}" if stuff or (is_plural(name) and not bare) else with_article(name)


def named_with_the(name: str) -> str:
    """Return "the cat", or "somebody" of whoever it was."""
    return "somebody" if name in _PEOPLE else f"the {name}"


def is_plural(name: str) -> bool:
    """Say whether `name`, a colour before it or none, is that of several: "they", not "it"."""
    table = word_table()
    last = name.removeprefix(f"{name.partition(' ')[0]} ")
    if name in _PEOPLE or {name, last} & _plurals(table):
        return True
    return any(one.endswith("s") and with_article(one) == one for one in (name, last))


def _counting(kind: Kind, said: Mapping[str, str | None]) -> Counting | None:
    if kind in _OF_ALL:
        order = said.get("order") or ""
        return Counting(kind, "", frozenset(), order=order)
    if kind in {"moved", "coloured"}:
        return _looking(kind, said)
    if kind == "things":
        return Counting(kind, kind, frozenset(range(len(word_table().words))))
    # Who asks "who" names nobody.
    name = said.get("name") or said.get("name2") or "anyone"
    if kind == "place" and name in _PEOPLE:  # "Where is everybody?" asks for somebody at all.
        kind = "who" if said.get("order") else "about"
    if kind in _OF_A_SORT:
        return _of_a_sort(kind, name.strip(), said)
    if (one := _one(kind, name.strip(), word_table())) is None:
        return None
    one = replace(one, order=said.get("order") or "")
    if "other" not in said:
        return one
    other = _one(kind, (said["other"] or "").strip(), word_table())
    return None if other is None else replace(one, other=other)


def _of_a_sort(kind: Kind, name: str, said: Mapping[str, str | None]) -> Counting | None:
    """Return the counting of a sort; None of "how many cars", which are counted, not their kinds."""
    if kind in _RANKED and name in _ALL_THINGS:
        return Counting(kind, "", frozenset())
    words = sorts(word_table()).get(name)
    single = {form for word in word_table().words for form in (word.name, word.plural)}
    if words is None or (kind == "kinds" and not said["apart"] and name in single):
        return None
    order = said.get("order") or said.get("order2") or ""
    return Counting(kind, name, words, order=order)


def _looking(kind: Kind, said: Mapping[str, str | None]) -> Counting | None:
    """Return the counting of what has a colour, or of what moves: of all things, or of a sort."""
    if colour := said.get("colour") or said.get("colour2") or said.get("colour3"):
        return Counting(kind, "", frozenset(), COLOURS.index(colour.replace("gray", "grey")))
    name = said.get("name") or said.get("name2") or ""
    way = next((way for way in MOVEMENTS if way in (said.get("way") or "")), "")
    order = " ".join([*["now"] * bool(said.get("order")), *[way] * bool(way)])
    if sort := sorts(word_table()).get(name):
        return Counting("moved", name, sort, order=order)
    if name not in _ANYTHING:
        return None
    words = frozenset(range(len(word_table().words)))
    return Counting("moved", "anything" if name else "", words, order=order)


def _name(name: str) -> Counting | None:
    return _one("about", name, word_table())


def _one(kind: Kind, name: str, table: WordTable) -> Counting | None:
    """Return the counting of one thing, if all of `name` is the name of it, a colour before it or none."""
    if name in _PEOPLE:
        return Counting(kind, name, frozenset({table.number["person"]}))
    first, _, rest = name.partition(" ")
    first = {"gray": "grey"}.get(first, first)
    for bare, colour in ((name, None), (rest, first)):
        if bare and (colour is None or colour in COLOURS):
            words = named_words(bare, table)
            if any(bare in _names(word, table) for word in words):
                number = None if colour is None else COLOURS.index(colour)
                return Counting(kind, name, words, number)
    return None


@cache
def _names(number: int, table: WordTable) -> frozenset[str]:
    word = table[number]
    names = {word.name, word.plural, *word.others, *word.broader, *word.kinds.values()}
    return frozenset(form.lower() for name in names for form in (name, *plurals_of(name)))


@cache
def _plurals(table: WordTable) -> frozenset[str]:
    own = {word.plural for word in table.words if word.plural != word.name}
    more = {
        form
        for word in table.words
        for name in (*word.others, *word.broader)
        for form in plurals_of(name)
    }
    return frozenset(own | more)
