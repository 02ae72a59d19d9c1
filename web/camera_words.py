"""Questions to all cameras, as each of them can be asked alone.

    "Which camera saw the dog last?"      "When was the dog last seen?"
    "Has any camera seen a red car?"      "When was a red car last seen?"
    "Is there a dog on any camera?"       "Is a dog still there?"
    "Can anyone see a dog?"               "Can you see a dog?"

One stream knows nothing of the others: which camera it was follows from what each answers to when it
saw that. Where it was and is not any more says more of many cameras than "No.". What is none of these
forms is put to every stream as it stands. A camera is also a word for a thing that may be seen, and "anyone" for
a person: who is asked whether they have seen something is not looked for.
"""

import re

from stream.past.counted.words import asks_to_count

_CAMERA = r"(?:of (?:the|my|our|your) )?(?:cameras?|streams?)"
_DO = r"(?:has|have|had|is|are|was|were|did|does|do|can|could)"
_EVER = r"(?:(?:ever|already|just|last|still|now|currently) )*"
_SHOW = (
    r"(?:saw|sees?|seen|seeing|shows?|shown|showed|showing|had|has|have|filmed|recorded|caught"
    r"|captured|(?:spot|notice|detect)(?:e?d|s)?|spotted)"
)
_ANYONE = r"(?:anyone|anybody|any one|someone|somebody|everyone|everybody|no one|no-one|nobody)"
_SEEN = r"(?:seen?|spot(?:ted)?|noticed?|detect(?:ed)?|observed?)"
_THING = r"(?P<thing>(?:the|a|an|any|some|my|our|two|three|four)? ?[a-z' -]+?)"
_LAST = r"(?: (?:last|the last time|most recently|now|right now|at the moment|lately|so far|yet))*"
_SEEN_LAST, _STILL_THERE = "When was {} last seen?", "Is {} still there?"
_FORMS = tuple(
    (re.compile(form), _STILL_THERE if form.startswith("(?:is|are)") else _SEEN_LAST)
    for form in (
        rf"(?:(?:on|in|by) )?(?:which|what) {_CAMERA} (?:{_DO} )?{_EVER}{_SHOW} {_THING}{_LAST}",
        rf"(?:on|in|at|by) (?:which|what) {_CAMERA} {_DO} (?:(?:you|we|i) {_EVER}(?:see|seen) |there )?"
        rf"{_THING}(?: been)?(?: {_EVER}(?:seen|shown|visible|there|appear|appeared))?{_LAST}",
        rf"{_DO} (?:any|one|some) {_CAMERA} {_EVER}{_SHOW} {_THING}{_LAST}",
        rf"(?:has|have|had|did)(?:n't)? {_ANYONE} {_EVER}{_SEEN} {_THING}{_LAST}",
        rf"(?:is|are) there {_THING}(?: (?:anywhere|somewhere|there|visible|in view|in sight))*{_LAST}",
    )
)

_WITNESS = re.compile(
    rf"\b(?:(?P<verb>has|have|had|did|does|do|can|could)(?:n?['\u2019]t)? {_ANYONE}"
    rf"|{_ANYONE} (?P<later>has|have|had)) (?P<seen>{_EVER}{_SEEN})\b",
    re.IGNORECASE,
)
_OF_YOU = {"has": "have", "does": "do"}
_ON_CAMERAS = re.compile(rf" (?:on|in|by|at) (?:any|all|every|each|one) {_CAMERA}\b", re.IGNORECASE)


def of_one_camera(text: str) -> str:
    """Return how to ask one stream what `text` asks of the cameras, without words for them."""
    text = _ON_CAMERAS.sub("", text)
    plain = " ".join(re.findall(r"[a-z'-]+|[^\sa-z,.;:!?]", text.lower()))
    for form, template in _FORMS:
        if found := form.fullmatch(plain):
            asked = template.format(found["thing"].strip())
            if asks_to_count(asked) is not None:
                return asked
    return _WITNESS.sub(_asked_of_you, text)


def _asked_of_you(found: re.Match[str]) -> str:
    """Return "have you seen" of "has anyone seen", and "you have seen" of "anyone has seen"."""
    said = found["verb"] or found["later"]
    verb = _OF_YOU.get(said.lower(), said.lower())
    if found["later"]:
        return f"you {verb} {found['seen']}"
    verb = verb.capitalize() if said[0].isupper() else verb
    return f"{verb} you {found['seen']}"
