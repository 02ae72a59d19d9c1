"""What is asked politely, indirectly or in two words, as it is asked straight: so the readers of questions know it.

"Could you please tell me when the dog came?"       When did the dog come?
"Do you know if there was a cat?"                   Was there a cat?
"Where's the cat, please?"                          Where is the cat?
"Wasn't there a cat?"                               Was there a cat?
"Any dogs?"  "Dog?"  "How many dogs?"               Are there any dogs?  Is there a dog?  How many dogs are there?
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from model.types import Question, Turn
from model.vision.vocabulary import with_article
from stream.past.asides import aside
from stream.past.asked.wordings import in_other_words
from stream.past.counted.words import asks_to_count, is_plural
from stream.past.follow_up import is_known, whole_question
from stream.past.wording import sentence

_LONGEST = 200  # characters of what can still be such a question
_GAP = re.compile(r"[ ]*[?.!;,]+ (?:and |also )*(?=\w)| and (?:also )?(?=\w)", re.IGNORECASE)
_PRESENCE = re.compile(r"(?:is|are) there [a-z' -]+\??", re.IGNORECASE)
_HELLO = re.compile(
    r"^(?:(?:please|hello|hi|hey|hallo|hola|ciao|bonjour|salut|servus|moin|yo|howdy|greetings|guten (?:tag|morgen|abend)|um|uh|hm+|listen|flashback|(?:a |just a )?quick question|(?:please )?(?:answer|reply|say)(?: me)?(?: only| just)? (?:with|in) [a-z ]+?|(?:with )?(?:a )?yes or no|in (?:one|a|a single) (?:word|sentence)|excuse me|sorry|ok|okay|so|well|now|thanks|thank you|good (?:morning|afternoon|evening|day))(?: there)?[ ,!.:]+)*"
)
_POLITE = re.compile(
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:tell|show) (?:me|us)|tell (?:me|us)"
    r"|(?:do|would) you (?:happen to )?know|(?:i|we)(?: would|'d)? (?:want|like|need) to know"
    r"|(?:i|we) (?:(?:was|were|am|are) )?wonder(?:ing)?|would you mind telling (?:me|us)|(?:do you have )?any idea)[ ,:]+(?:please )?"
)
_TAG = re.compile(
    r"(?:,? (?:right|correct|true|eh|huh|or not|or no|or what|or something|somewhere|anywhere|in there|by any chance|at (?:some|any) (?:point|time)|if i may ask|for me|mate|dude|bro|buddy|guys|sir|yet)"
    r"|, (?:yes|no|ok|(?:is|was|are|were|did|do|does|has|have)(?:n't| not)? (?:there|it|they|you|he|she)))+$"
)
"""What is asked behind what is said: "There was a cat, wasn't there?"."""
_FILLING = re.compile(
    r"\b(?:like|exactly|precisely|actually|maybe|perhaps|possibly|by any chance|basically|really|honestly|roughly|just|kinda|literally|um|uh|er|you know)(?:,? |$)"
)
_THANKS = re.compile(r"(?:[ ,.?!]+(?:please|thanks|thank you|thx))+$")
_SHORT = re.compile(r"\b(what|where|who|when|how)'?s (?=\w)")
_NOT = re.compile(r"(is|are|was|were|has|have|had|did|do|does|can|could)n'?t (?=\w)")
_NOBODY = re.compile(
    r"(?P<verb>is|was) (?:there )?(?:nobody|no one|no-one|noone)(?: (?:there|here|visible))?(?: now)?"
)
_ASKED = re.compile(
    r"(?:what|where|who|when|how|which|at what|since when|for how|is|are|was|were|did|do|does|has|have|can)\b"
)
_ASKS = r"(?P<asks>what|who|when|where|how (?:long|often|many times)|(?:which|what) (?:way|colou?r|direction)|at what time|since when|for how long)"
_ASKS_MANY = r"(?P<asks>how many [a-z' -]+?|(?:what|which) [a-z' -]+?)"
_SUBJECT = r"(?P<subject>(?:the|a|an|any|some|this|that|these|those|your) [a-z' -]+?|it|he|she|they|there|anyone|anybody|someone|somebody|everyone|everybody|people|you)"
_VERB = r"(?:(?P<time>last|first) )?(?P<verb>[a-z]+)(?P<rest>(?: [a-z' -]+)?)"
_INDIRECT = tuple(
    re.compile(form)
    for form in (
        rf"{_ASKS} {_SUBJECT} {_VERB}",
        rf"(?:if|whether) {_SUBJECT} {_VERB}",
        rf"{_ASKS_MANY} (?P<subject>there|you) {_VERB}",
    )
)
_AUXILIARY = frozenset({"is", "are", "was", "were", "has", "have", "had", "can", "could"})
_BASE = {
    "came": "come", "left": "leave", "appeared": "appear", "went": "go", "arrived": "arrive", "returned": "return",
    "disappeared": "disappear", "moved": "move", "stayed": "stay", "saw": "see", "passed": "pass", "entered": "enter",
}  # fmt: skip
_IN_ALL = re.compile(r" (?:in total|in all|altogether|overall)$")
_MANY = re.compile(r"how many (?P<name>[a-z' -]+)")
_BARE = re.compile(r"(?P<any>any |some )?(?:the |a |an )?(?P<name>[a-z' -]+?)(?: (?:there|here))?")


def in_one_straight_question(question: Question) -> Question | str:
    """Return `question` asked straight, in words that need no conversation; or what is asked back.

    Args:
        question: Its last line is what was asked.
    """
    over = question.duration is not None
    whole = whole_question(question)
    if whole is question:  # "The dog", after "Which do you mean", is not "Is there a dog?".
        whole = whole_question(replace(question, text=asked_straight(question.text, over=over)))
    if isinstance(whole, str):
        return whole
    return replace(whole, text=asked_straight(whole.text, over=over))


def asked_in_one(question: Question) -> Sequence[str]:
    """Return what `question` asks, one thing after the other: several only if each is known alone.

    Args:
        question: Its last line is what was asked.
    """
    told, line, asked = question.text.rpartition("\n")
    if len(asked) > _LONGEST or is_known(asked):
        return (question.text,)
    over = question.duration is not None
    for gap in _GAP.finditer(asked):
        one, other = asked[: gap.start()], asked[gap.end() :]
        if aside(one) or not ("?" in gap[0] or _ASKED.match(other.lower())):
            continue
        turns = (Turn("user", one), Turn("assistant", ""))
        later = asked_in_one(Question(other, conversation=turns, duration=question.duration))
        second = whole_question(Question(later[0], conversation=turns))
        both = (one, later[0] if isinstance(second, str) else second.text)
        if all(_asks_by_itself(asked_straight(part, over=over)) for part in both):
            return tuple(f"{told}{line}{part}" for part in (one, *later))
    return (question.text,)


def _asks_by_itself(text: str) -> bool:
    return is_known(text) or _PRESENCE.fullmatch(text) is not None


def asked_straight(text: str, *, over: bool) -> str:
    """Return `text`, its last line as it is asked straight; as it stands if a reader knows it so, or no way leads there.

    Args:
        text: Its last line is what was asked.
        over: Whether what is asked about is over, as a film is.
    """
    told, gap, asked = text.rpartition("\n")
    if len(asked) > _LONGEST or is_known(asked):
        return text
    plain = " ".join(asked.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    plain = _THANKS.sub("", plain.strip(" .?!"))
    straight = _straightened(plain, over=over)
    if not (straight and is_known(straight)) and (bare := _unadorned(plain)) not in {"", plain}:
        unadorned = bare if is_known(bare) else _straightened(bare, over=over)
        straight = unadorned if unadorned and is_known(unadorned) else straight
    if straight in {"", plain}:
        return text
    return f"{told}{gap}{sentence(straight)[:-1]}?"


def _straightened(plain: str, *, over: bool) -> str:
    return _in_few_words(plain, over=over) or in_other_words(plain, _is_name) or _direct(plain)


def _unadorned(plain: str) -> str:
    """Return `plain` without greeting, filling words and "wasn't there?"."""
    bare = _FILLING.sub("", _HELLO.sub("", plain, count=1))
    return _TAG.sub("", bare).strip(" ,")


def _in_few_words(plain: str, *, over: bool) -> str:
    """Return the question that "dog", "any dogs" or "how many dogs" stands for; empty if it is none."""
    plain = _IN_ALL.sub("", plain)
    if (found := _MANY.fullmatch(plain)) and _is_name(found["name"]):
        return f"{plain} {'were' if over else 'are'} there"
    if _MANY.fullmatch(plain) and asks_to_count(f"{plain} did you see"):
        return f"{plain} did you see"
    found = _BARE.fullmatch(plain)
    if found is None or not _is_name(name := found["name"]):
        return ""
    if " and " in name or " or " in name:
        return f"did you see {name}"
    if found["any"] or is_plural(name):
        return f"{'were' if over else 'are'} there any {name}"
    return f"{'was' if over else 'is'} there {with_article(name)}"


def _is_name(name: str) -> bool:
    return asks_to_count(f"did you see {name}") is not None


def _direct(plain: str) -> str:
    """Return `plain` without what is polite in it, in the order of a direct question; empty if it is no question then."""
    bare = _HELLO.sub("", plain, count=1)
    if polite := _POLITE.match(bare):
        bare = bare[polite.end() :]
        for form in _INDIRECT:
            if found := form.fullmatch(bare):
                return _turned(found)
    bare = _SHORT.sub(r"\1 is ", bare)
    bare = re.sub(r"^what time (?=(?:was|were|did|has|have|had)\b)", "at what time ", bare)
    bare = _NOT.sub(r"\1 ", bare) if _NOT.match(bare) else bare
    if nobody := _NOBODY.fullmatch(bare):
        return f"who {nobody['verb']} there"
    return bare if _ASKED.match(bare) else ""


def _turned(found: re.Match[str]) -> str:
    """Return a question in direct order: "when the dog came" as "when did the dog come"; as it is if that is not known."""
    said = found.groupdict()
    verb, subject = said["verb"], said["subject"]
    asks = f"{said['asks']} " if said.get("asks") else ""
    time = f"{said['time']} " if said["time"] else ""
    if verb in _AUXILIARY:
        return f"{asks}{verb} {subject}{said['rest']}"
    if verb in _BASE:
        return f"{asks}did {subject} {time}{_BASE[verb]}{said['rest']}"
    if subject == "you":
        return f"{asks}do you {time}{verb}{said['rest']}"
    return found.string if asks else ""
