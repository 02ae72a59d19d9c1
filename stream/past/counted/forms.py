"""The wordings of questions that are counted: what each kind of `stream/past/counted/words.py` is asked by.

A form names what it asks about as `name` and `other`, and by `order` which way it compares.
"""

import re
from collections.abc import Iterator
from typing import Literal

from model.vision.vocabulary import COLOURS

Kind = Literal[
    "long", "sort", "often", "still", "gone", "left", "last", "which", "before", "changed",
    "about", "who", "ever", "again", "things", "none", "colour", "way", "place",
    "many", "kinds", "longest", "oftenest", "when", "next", "between", "seen", "whereabouts",
    "moved", "colours", "coloured", "nth", "span", "scenes", "present", "apart", "shortest", "rarest", "without",
]  # fmt: skip

_ALREADY = r"(?: (?:so far|in all|in total|altogether|until now|already|here|there|now|please|today|yet|by now|at all|right now|at the moment|in order|in the right order|in order of time|in sequence|one by one|one after another))*"  # fmt: skip
_PLACE = r"(?:there|here|visible|around|present|shown|seen|on screen|on the screen|in view|in sight|to be seen|in (?:the )?(?:picture|video|film|stream|frame|image|scene|view|room))"  # fmt: skip
_STAYED = rf"(?: (?:been|stay|stayed|last|remain|appear|{_PLACE}))*"
_CAME = rf"(?: (?:been|come|came|come by|come back|appear|appeared|appear again|return|returned|pass|passed|pass by|show up|showed up|turn up|turned up|arrive|arrived|enter|entered|(?:come|came|walk|walked|go|went|gone|drive|drove|run|ran) (?:in|into|past|by|through|along)|into (?:the )?(?:picture|view|room|scene)|{_PLACE}))*"  # fmt: skip
_GONE = r"(?:left|leave|gone|go|gone away|go away|went away|disappeared|disappear|vanished|vanish|moved away|move away|left the (?:picture|screen|scene|room|view)|leave the (?:picture|screen|scene|room|view)|go out of (?:view|sight))"  # fmt: skip
_BE = r"(?:is|are|was|were|has|have|had)"
_DO = rf"(?:{_BE}|did|does|do|can|could)"
_THE = r"(?:the |a |an |any |this |that |these |those |your )?"
_NAME = rf"{_THE}(?P<name>[a-z' -]+?)"
_OTHER = rf"{_THE}(?P<other>[a-z' -]+?)"
_YOU = r"(?:you|i|we)"
_SEE = r"(?:see|seen|saw|watch|notice|noticed|spot|spotted|detect|detected|count|counted|find|found|recogni[sz]ed?)"
_SORTS = rf"(?: {_DO} you (?:all )?{_SEE}| you (?:have )?{_SEE}| (?:(?:was|were|are|have been|has been|did) ?)(?:there|shown|seen|visible|appear)+| (?:came|appeared)| there (?:were|have been))"  # fmt: skip
_ANYONE = r"(?:there )?(?P<name>anyone|anybody|someone|somebody)"
_NOBODY = r"(?:nobody|no one|no-one|noone|no people|no person)"
_AGAIN = r"(?:come back|came back|return|returned|reappear|reappeared|come again|appear again|show up again|come by again|shown again|there again|seen again|visible again)"  # fmt: skip
_COUNTED = rf"(?: (?:were|was|have been|had been) {_PLACE}| there (?:were|have been)| (?:did|have|had) {_YOU} {_SEE}| came| appeared| {_YOU} (?:have )?{_SEE})(?: (?:at once|at most|at the same time))?"  # fmt: skip
_ARRIVE = r"(?:come|came|appear|appeared|arrive|arrived|show up|showed up|turn up|turned up|(?:enter|entered|come into|came into)(?: the| your)? ?(?:picture|view|room|scene)|enter|entered|come in|came in|pass|passed|pass by|passed by)"  # fmt: skip
_LAST_TIME = r"(?:last|the last time(?: that)?|most recently)"

_COLOUR = rf"(?P<colour>{'|'.join(COLOURS)}|gray)"
_NTH = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_WENT = r"(?:move|moves|moved|moving|go|goes|going|went|fly|flew|flying|walk|walked|walking|run|ran|running|drive|drove|driving)"
_A_WAY = r"(?:to |towards )?(?:the )?(?:left|right|up|down|top|bottom)(?:wards?)?(?: side)?"
_MOTION = r"(?:move|moves|moved|moving|in motion)"

_WHICH_OF = r"(?:what|which|who)(?: (?P<name>[a-z]+))?(?: of (?:all|them|these|those))?"
_WHICH_YOU = rf"(?:what|which|who)(?: (?P<name2>[a-z]+))? (?:did|have) {_YOU} {_SEE}"
_HAPPENED = rf"(?: (?:come|came|appear|appeared|arrive|arrived|leave|left|go|went|gone|away|is|are|was|were|disappear|disappeared|follow|show up|showed up|turn up|turned up|{_PLACE}))*"
_HOW_LONG = r"(?:how (?:long|much time|much later|much earlier|many (?:seconds|minutes|hours)(?: later| earlier)?)|what time|how much)"
_PASSED = r"(?: (?:was|is|were|are|has|have|had|did|it|there|passed?|pass|go by|went by|lay|lie|elapsed?|took|take|be|been|later|earlier|the time|the gap))*"
_LIMIT = r"(?P<order>(?:(?:more|longer|less|shorter) than|over|under|at least|at most|up to|only) (?:\d(?: \d)*|half an?|[a-z]+) (?:second|minute|hour)s?)"

_FORMS: tuple[tuple[Kind, str], ...] = (
    ("moved", rf"(?:what|who|which (?:things?|objects?|ones?)|(?:what|which) (?P<name>[a-z ]+?)) (?:(?P<order>is|are) |was |were |has |have |did )?{_MOTION}{_ALREADY}"),
    ("moved", rf"(?:what|who|which (?:things?|objects?|ones?)|(?:what|which) (?P<name>[a-z ]+?)) (?:(?P<order>is|are) |was |were |has |have |did )?{_WENT} (?P<way>{_A_WAY}){_ALREADY}"),
    ("moved", rf"(?:did|has|was|were|have|does|(?P<order>is|are)) (?P<name>anything|something) {_WENT} (?P<way>{_A_WAY}){_ALREADY}"),
    ("moved", rf"(?:did|has|was|were|have|does|(?P<order>is|are)) (?P<name>anything|something|things) {_MOTION}{_ALREADY}"),
    ("moved", rf"(?:was|were|(?P<order>is|are)) there (?:any |some )?(?P<name>movement|motion|movements){_ALREADY}|(?:did|do|can|have) you (?:see|seen|notice|detect) (?:any |some )?(?P<name2>movement|motion|movements){_ALREADY}"),
    ("colours", rf"(?:what|which|how many) (?:different )?colou?rs(?:{_SORTS}| (?:are|were) (?:there|{_PLACE})| do you see)(?: in the (?:video|film|stream))?{_ALREADY}"),
    ("coloured", rf"(?:what|which (?:things?|objects?|ones?)) (?:is|are|was|were) (?:the )?{_COLOUR}(?: things?| ones?| objects?)?{_ALREADY}"),
    ("coloured", rf"(?:is|are|was|were|has|have) (?:there )?(?:ever )?(?:been )?(?:anything|something|things|any things|any objects) {_COLOUR}{_ALREADY}|(?:do|did|can|have) you (?:ever )?{_SEE} (?:anything|something|things|any things) (?P<colour2>{'|'.join(COLOURS)}|gray){_ALREADY}"),
    ("coloured", rf"(?:is|are|was|were|has|have) there (?:any |a |an )?(?P<colour3>{'|'.join(COLOURS)}|gray) (?:things?|objects?|ones?){_ALREADY}|(?:do|did|can|have) you (?:ever )?{_SEE} (?:any |a |an )?{_COLOUR} (?:things?|objects?){_ALREADY}"),
    ("without", rf"when (?:was|were|is|has) (?:there )?{_NOBODY}(?: been)?(?: {_PLACE})?{_ALREADY}|(?:was|were) (?:there )?(?:ever|a time|any time|a moment) (?:when )?(?:there )?(?:was )?(?:{_NOBODY}|without people|without anyone)(?: {_PLACE})?{_ALREADY}|was (?:the |this )?(?:room|place|picture|scene|street|house|it) (?:ever |sometimes )?(?:empty|deserted)(?: at (?:any|some) (?:time|point))?|when was (?:the |this )?(?:room|place|street|house|it) (?:empty|deserted)"),
    ("without", rf"when (?:was|were) {_NAME} (?:not|never) {_PLACE}{_ALREADY}|when (?:was|were) there (?:no|not a|not any) (?P<name2>[a-z' -]+?)(?: {_PLACE})?{_ALREADY}"),
    ("apart", rf"(?:{_HOW_LONG}|what (?:is|was) the (?:time|gap|pause|interval)){_PASSED} (?P<order>between) {_NAME}{_HAPPENED} and {_OTHER}{_HAPPENED}"),
    ("apart", rf"{_HOW_LONG}{_PASSED} (?P<order>after|from|since) {_NAME}{_HAPPENED} (?:did|was|were|came|to|till|until|until it was) {_OTHER}{_HAPPENED}"),
    ("apart", rf"how much (?:later|earlier)(?P<order>) than {_NAME}{_HAPPENED} (?:did|was|were|came) {_OTHER}{_HAPPENED}"),
    ("apart", rf"{_HOW_LONG} (?P<order>before) {_OTHER}{_HAPPENED} (?:did|was|were|came) {_NAME}{_HAPPENED}"),
    ("apart", rf"{_HOW_LONG} (?:did|was|were) {_OTHER}{_HAPPENED} (?P<order>after|later than|from) {_NAME}{_HAPPENED}"),
    ("apart", rf"{_HOW_LONG} (?:did|was|were) {_NAME}{_HAPPENED} (?P<order>before|earlier than) {_OTHER}{_HAPPENED}"),
    ("apart", rf"{_HOW_LONG}{_PASSED} (?:until|till|before) {_OTHER}{_HAPPENED} (?P<order>after) {_NAME}{_HAPPENED}"),
    ("long", rf"(?:was|were|did|has|have|is|are) {_NAME}{_STAYED} (?:for )?{_LIMIT}{_ALREADY}"),
    ("long", rf"(?:for )?how (?:long|much time|many (?:seconds|minutes|hours)) {_DO} (?:{_YOU} {_SEE} )?(?:there (?:been )?)?{_NAME}{_STAYED}{_ALREADY}"),
    ("sort", rf"(?:(?:what|which)(?: (?:kinds?|sorts?|types?) of)?|(?:list|name|tell me)(?: all)?(?: the| which| what)?) (?P<name>[a-z ]+?){_SORTS}(?: in the (?:video|film|stream))?{_ALREADY}"),
    ("sort", rf"(?:please )?(?:list|name) (?:all )?(?:the )?(?P<name>[a-z ]+?){_ALREADY}"),
    ("sort", rf"(?:what|which)(?: (?:kind|sort|type) of)? (?P<name>[a-z]+) (?:came|appeared|is|was(?: {_PLACE})?|did {_YOU} {_SEE}) (?:the )?(?P<order>{'|'.join(_NTH)}){_ALREADY}|what (?:is|was) the (?P<order2>{'|'.join(_NTH)}) (?P<name2>[a-z]+)(?: (?:that )?(?:{_YOU} (?:have )?{_SEE}|(?:was )?{_PLACE}|came|appeared))?"),
    ("sort", rf"(?:what|which)(?: (?:kind|sort|type) of)? (?P<name>[a-z]+) (?:came|appeared|was(?: {_PLACE})?|did {_YOU} {_SEE}) (?P<order>first|last){_ALREADY}|what (?:is|was) the (?P<order2>first|last) (?P<name2>[a-z]+)(?: (?:that )?(?:{_YOU} (?:have )?{_SEE}|(?:was )?{_PLACE}))?"),
    ("often", rf"how (?:often|many times) {_DO} (?:{_YOU} {_SEE} )?(?:there (?:been )?)?{_NAME}{_CAME}{_ALREADY}"),
    ("kinds", rf"how many (?P<apart>(?:different )?(?:(?:kinds|sorts|types) of )?)(?P<name>[a-z ]+?){_COUNTED}{_ALREADY}"),
    ("many", rf"how many {_NAME}{_COUNTED}{_ALREADY}"),
    ("still", rf"(?:is|are|was|were) {_NAME} still {_PLACE}{_ALREADY}"),
    ("still", rf"(?:is|are|was|were) there still {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("still", rf"(?:can|do|did|could) {_YOU} still see {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("still", rf"(?:is|are|can|do) (?:there |{_YOU} see )?{_NAME} (?:{_PLACE} )?(?:any more|anymore|any longer)"),
    ("still", rf"(?:is|are) {_ANYONE}(?: {_PLACE}| at home)?{_ALREADY}|(?:can|do) {_YOU} see (?P<name2>anyone|anybody|someone|somebody)(?: {_PLACE})?{_ALREADY}"),
    ("still", rf"is there (?:a |an |any )(?P<name>(?:{'|'.join(COLOURS)}|gray) [a-z' -]+?)(?: {_PLACE})?{_ALREADY}"),
    ("present", rf"(?:is there|(?:do|can) {_YOU} see) {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("still", rf"are there (?:any|some) {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("ever", rf"(?:was|were|has|have|had|did) {_ANYONE}{_CAME}{_ALREADY}|(?:did|have) {_YOU} {_SEE} (?P<name2>anyone|anybody|someone|somebody)(?: {_PLACE})?{_ALREADY}"),
    ("ever", rf"(?:were|have) there (?:been )?(?:any|some) {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("seen", rf"(?:was|were|has|have) there (?:ever )?(?:been )?{_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("seen", rf"(?:did|have) {_YOU} (?:ever )?{_SEE} {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("seen", rf"(?:(?:was|were|has|have) there (?:ever )?(?:been )?|(?:did|have) {_YOU} (?:ever )?{_SEE} ){_NAME} (?P<order>and|or) {_OTHER}{_ALREADY}"),
    ("colour", rf"(?:what|which) colou?rs? (?:(?P<order>is|are|does|do|has)|was|were|did|had) {_NAME}(?: have)?{_ALREADY}|what (?:is|was) the colou?rs? of {_THE}(?P<name2>[a-z' -]+?){_ALREADY}"),
    ("way", rf"(?:which way|(?:in )?(?:which|what) direction|where) (?:(?P<order>is|are|does|do)|was|were|did) {_NAME} (?:move|moving|go|going|walk|walking|run|running|drive|driving|fly|flying|travel|travelling|headed|heading)(?: to)?{_ALREADY}"),
    ("place", rf"where (?:(?P<order>is|are)|was|were|(?:did|have) {_YOU} {_SEE}) {_NAME}(?: {_PLACE})?{_ALREADY}"),
    ("whereabouts", rf"where (?:was|were) {_NAME} (?:(?:last|most recently) {_PLACE}|(?:{_PLACE} )?(?:last|most recently|the last time)){_ALREADY}"),
    ("whereabouts", rf"where (?:did|have|had) {_YOU} (?:{_LAST_TIME} {_SEE} {_NAME}|{_SEE} {_THE}(?P<name2>[a-z' -]+?) (?:last|most recently|the last time)){_ALREADY}"),
    ("again", rf"(?:did|has|have|is|are|was|were) {_NAME} {_AGAIN}{_ALREADY}"),
    ("again", rf"(?:did|have) {_YOU} {_SEE} {_NAME} (?:again|more than once|twice|a second time){_ALREADY}"),
    ("things", rf"how many (?:different )?(?:things|objects|kinds of things|sorts of things){_SORTS}(?: in the (?:video|film|stream))?{_ALREADY}"),
    ("none", rf"how many {_NAME} (?:are|is) (?:there|{_PLACE})(?: {_PLACE})?{_ALREADY}|how many {_THE}(?P<name2>[a-z' -]+?) (?:do|can) {_YOU} see{_ALREADY}"),
    ("gone", rf"(?:is|are|was|were) {_NAME} (?:gone|gone away|away|missing|no longer {_PLACE}|not {_PLACE} (?:any more|anymore))(?: again)?{_ALREADY}"),
    ("gone", rf"(?:has|have|had|did) {_NAME} (?:already )?{_GONE}(?: again)?{_ALREADY}"),
    ("left", rf"(?:when|at what time) (?:did|has|have|had|was|were|is|are) {_NAME} {_GONE}(?: again)?{_ALREADY}"),
    ("left", rf"since when (?:is|are|has|have|was|were) {_NAME} (?:been )?(?:gone|away|missing){_ALREADY}"),
    ("last", rf"(?:when|at what time) (?:did|have|had) {_YOU} {_LAST_TIME} {_SEE} {_NAME}{_ALREADY}"),
    ("last", rf"(?:when|at what time) (?:did|have|had) {_YOU} {_SEE} {_NAME} (?:last|the last time|most recently){_ALREADY}"),
    ("last", rf"(?:when|at what time) (?:was|were|did) {_NAME} {_LAST_TIME} (?:{_PLACE}|appear|come){_ALREADY}"),
    ("last", rf"(?:when|at what time) (?:was|were|did) {_NAME} (?:{_PLACE}|appear|come) (?:last|the last time|most recently){_ALREADY}"),
    ("last", rf"when (?:was|is) the last time (?:that )?(?:{_YOU} (?:have )?{_SEE} {_NAME}|{_THE}(?P<name2>[a-z' -]+?) was {_PLACE}){_ALREADY}"),
    ("when", rf"(?:when|at what (?:time|second|point)) (?:was|were|did|has|have|had) (?:there )?{_NAME} (?:{_PLACE}|{_ARRIVE})(?: (?P<order>first|for the first time))?{_ALREADY}"),
    ("when", rf"(?:when|at what (?:time|second|point)) (?:did|have|had) {_YOU} (?:(?P<order>first) )?{_SEE} {_NAME}{_ALREADY}"),
    ("when", rf"(?:when|at what (?:time|second|point)) (?:did|have|had) {_YOU} {_SEE} {_NAME} (?P<order>first|for the first time){_ALREADY}"),
    ("when", rf"(?:when|at what (?:time|second|point)) (?:was|were|did) {_NAME} (?P<order>first) (?:{_PLACE}|{_ARRIVE}){_ALREADY}"),
    ("when", rf"when (?:was|is) the (?P<order>first) time (?:that )?(?:{_YOU} (?:have )?{_SEE} {_NAME}|{_THE}(?P<name2>[a-z' -]+?) was {_PLACE}){_ALREADY}"),
    ("which", rf"(?:which|what|who) (?:one )?(?:came|was {_PLACE}|appeared|was|did {_YOU} see|was it) (?P<order>first|last|later|earlier|sooner)(?: of (?:the )?two)? {_NAME} or {_OTHER}"),
    ("which", rf"(?:which|what|who) (?:one )?(?:came|stayed|appeared|was {_PLACE}|was|did {_YOU} see)(?: for)? (?:the )?(?P<order>longer|longest|more often|most often)(?: time)?(?: of (?:the )?two)? {_NAME} or {_OTHER}"),
    ("before", rf"(?:did|was|were) {_NAME}(?: (?:come|appear|stay|last|{_PLACE}))? (?P<order>longer|more often) than {_OTHER}(?: did| was)?"),
    ("between", rf"what (?:else )?(?:thing )?(?:came|was {_PLACE}|was|happened|appeared|did {_YOU} {_SEE})(?: {_PLACE})?(?: in)? between {_NAME} and {_OTHER}"),
    ("next", rf"what (?:else )?(?:thing )?(?:came|comes|was {_PLACE}|was|were {_PLACE}|appeared|happened|did {_YOU} {_SEE}|followed)(?: (?:right|just|directly|immediately|shortly))? (?P<order>before|after) {_NAME}(?: (?:was|were) {_PLACE}| came| left)?{_ALREADY}"),
    ("before", rf"(?:did|was|were) {_NAME} (?:come|appear|{_PLACE}) (?P<order>before|after|earlier than|later than) {_OTHER}(?: did| was)?"),
    ("before", rf"(?:was|were|did {_YOU} {_SEE}) {_NAME} (?P<order>before|after|earlier than|later than) {_OTHER}(?: did| was)?"),
    ("about", rf"(?:please )?(?:can you |could you )?(?:tell me|tell us|say|what do you know|what can you (?:say|tell me)|do you know)(?: something| anything| more| everything| all)?(?: you know)? (?:about|of) {_NAME}{_ALREADY}"),
    ("about", rf"(?:please )?(?:can you |could you )?describe {_NAME}{_ALREADY}|(?:what|how) about {_THE}(?P<name2>[a-z' -]+?)"),
    ("about", rf"what (?:did|does|do|was|were|is|are) {_NAME} (?:do|doing|up to){_ALREADY}|what (?:happened|happens|is happening|became|has happened) (?:to|with|of) {_THE}(?P<name2>[a-z' -]+?){_ALREADY}"),
    ("who", rf"who (?:is|are|(?:do|can) {_YOU} {_SEE})(?: {_PLACE}| that| it| this)?{_ALREADY}"),
    ("about", rf"who (?:was|were|has been|have been|came|(?:did|have) {_YOU} {_SEE})(?: {_PLACE}| that| it| this)?{_ALREADY}"),
    ("span", r"how (?:long|much) (?:is|was|has been|have you (?:been )?(?:watch|watched|watching|seen|recorded)) ?(?:(?:it|this|that|the) (?:whole |entire )?(?:video|film|movie|clip|stream|recording|footage))?(?: so far)?|(?:since when|for how long|how long) (?:are|have) you (?:been )?(?:watching|watched|recording)"),
    ("scenes", rf"how many (?:different )?scenes{_SORTS}{_ALREADY}|how many (?:different )?scenes (?:are|were) (?:there|{_PLACE}){_ALREADY}"),
    ("nth", rf"what (?:was|is|came|did {_YOU} {_SEE}) (?:the )?(?P<order>second to last|second last|next to last|last but one|penultimate)(?: (?:thing|object|one|scene|item))?(?: (?:that )?(?:{_YOU} (?:have )?{_SEE}|(?:was )?{_PLACE}))?{_ALREADY}"),
    ("nth", r"what (?:was|is|came|happened|happens) in the (?P<order>middle)(?: of (?:the|this) (?:video|film|stream|recording))?"),
    ("nth", rf"what (?:was|is|came|did {_YOU} {_SEE}|(?:was )?{_PLACE}) (?:the )?(?P<order>{'|'.join(_NTH)})(?: (?:thing|object|one|scene|item))?(?: (?:that )?(?:{_YOU} (?:have )?{_SEE}|(?:was )?{_PLACE}|came|appeared))?{_ALREADY}"),
    ("changed", r"(?:did|has|have) (?:anything|something|the (?:scene|picture|image|view)) (?:been )?change[ds]?(?: (?:so far|yet|since|lately|recently|now|here|there))*"),
    ("changed", r"(?:is|was) (?:there )?(?:anything|something) (?:new|different|changing)(?: now)?|(?:are|were) there (?:any )?changes|any changes|anything new"),
    ("changed", r"what (?:has |is )?(?:changed|new|different)(?: now| here| lately| recently)?"),
    ("longest", rf"{_WHICH_OF} (?:was|has been|is|stayed|lasted) (?:{_PLACE} )?(?:for )?(?:the )?(?:longest|most of the time)(?: time)?(?: {_PLACE})?|{_WHICH_YOU} (?:the )?longest{_ALREADY}|what (?:was|is) the longest (?P<name3>thing|scene)"),
    ("shortest", rf"{_WHICH_OF} (?:was|has been|is|stayed|lasted) (?:{_PLACE} )?(?:for )?(?:the )?(?:shortest|briefest|least long|least)(?: time)?(?: {_PLACE})?|{_WHICH_YOU} (?:for )?(?:the )?shortest(?: time)?{_ALREADY}|what (?:was|is) the (?:shortest|briefest) (?P<name3>thing|scene)"),
    ("oftenest", rf"{_WHICH_OF} (?:was|has been|came|appeared) (?:{_PLACE} )?(?:the )?(?:most often|oftenest|most frequently)(?: {_PLACE})?|{_WHICH_YOU} (?:the )?most(?: often| frequently)?{_ALREADY}"),
    ("rarest", rf"{_WHICH_OF} (?:was|has been|came|appeared) (?:{_PLACE} )?(?:the )?(?:least often|rarest|least frequently)(?: {_PLACE})?|{_WHICH_YOU} (?:the )?least(?: often| frequently)?{_ALREADY}"),
    ("changed", r"when did (?:anything|something|the (?:scene|picture|image|view)|it) (?:last )?change(?: last)?|what was the last change"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(rf"(?:and |so |ok )?(?:{of})")) for kind, of in _FORMS)
_LAST_BUT_ONE = frozenset({
    "second to last", "second last", "next to last", "last but one", "penultimate",
})  # fmt: skip


def fitting(plain: str) -> Iterator[tuple[Kind, dict[str, str | None]]]:
    """Yield each kind that a question is, by its form, with what that names; "third" as how many come before it.

    Args:
        plain: The question in small letters, without punctuation.
    """
    for kind, form in _COMPILED:
        if found := form.fullmatch(plain):
            said = found.groupdict()
            yield kind, said | {name: _place(said[name]) for name in said if "order" in name}


def _place(said: str | None) -> str:
    """Return how many come before what is the second, third, …; "-2" of the last but one; else `said`."""
    if said in _LAST_BUT_ONE:
        return "-2"
    return str(_NTH.index(said) + 1) if said in _NTH else said or ""
