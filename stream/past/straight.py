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
from model.vision.vocabulary import COLOURS, with_article, word_table
from stream.past.asides import aside
from stream.past.counted.words import asks_to_count, is_plural
from stream.past.follow_up import is_known, whole_question
from stream.past.wording import sentence

_LONGEST = 200  # characters of what can still be such a question
_GAP = re.compile(r"[ ]*[?.!;,]+ (?:and |also )*(?=\w)| and (?:also )?(?=\w)", re.IGNORECASE)
_PRESENCE = re.compile(r"(?:is|are) there [a-z' -]+\??", re.IGNORECASE)
_HELLO = re.compile(
    r"^(?:(?:please|hello|hi|hey|excuse me|sorry|ok|okay|so|well|now|thanks|thank you|good (?:morning|afternoon|evening))(?: there)?[ ,!.]+)*"
)
_POLITE = re.compile(
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:tell|show) (?:me|us)|tell (?:me|us)"
    r"|(?:do|would) you (?:happen to )?know|(?:i|we)(?: would|'d)? (?:want|like|need) to know"
    r"|(?:i|we) (?:(?:was|were|am|are) )?wonder(?:ing)?|would you mind telling (?:me|us)|(?:do you have )?any idea)[ ,:]+(?:please )?"
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
_MANY = re.compile(r"how many (?P<name>[a-z' -]+)")
_SOME = r"(?:anything|something|nothing|much)"
_VAGUE = (
    (r"did (?:anything|something) new (?:appear|come|happen)", "did anything change"),
    (r"what (?:do|can) you remember|what can you tell me|what have you got", "what did you see"),
    (r"what happens first|what (?:happens|happened|is|was) at the (?:very )?(?:start|beginning)|how did (?:it|(?:the|this) (?:video|film|stream)) (?:start|begin)|which (?:one )?(?:came|was) first", "what did you see first"),
    (r"what happens (?:last|at the (?:very )?end)|what happened (?:last|at the (?:very )?end)|which (?:one )?(?:came|was) last", "what did you see last"),
    (r"what (?:is|was) the (?:main|most important|most common|most frequent|commonest) (?:thing|object|subject|item)", "what was there longest"),
    (r"is there (?:anything|something) to eat", "is there any food"),
    (r"was there (?:anything|something) to eat", "was there any food"),
    (r"how did (?:it|(?:the|this) (?:video|film|stream|recording)) (?:end|finish)|what did (?:it|(?:the|this) (?:video|film|stream)) end with|what was there at the (?:very )?end", "what did you see last"),
    (r"(?:and )?(?:anything|something|what) else(?: (?:did|have) you (?:see|seen)| was there| happened)?|(?:tell me|show me) more|show me|go on|continue|and", "what did you see"),
    (r"(?:and )?(?:anything|something|what) else (?:is there|do you see|can you see)", "what do you see"),
    (r"what (?:is|are) (?:it|he|she|they|this|that|these|those) doing(?: now)?|what (?:is|are) (?:he|she|they) up to", "what is happening"),
    (r"what (?:was|were) (?:that|this|it|those|these)(?: thing| just now| one| right now)?", "what did you see last"),
    (rf"(?:did|has) {_SOME} (?:happen|happened)(?: so far)?", "what happened"),
    (rf"(?:did|have) you (?:see|seen|notice|noticed) {_SOME}|(?:was|were) (?:there )?{_SOME}(?: there| shown)?", "what did you see"),
    (rf"(?:do|can) you see {_SOME}|(?:is|are) (?:there )?{_SOME}(?: there| here| happening| going on)*(?: now)?|(?:is|does) {_SOME} (?:happening|happen)|is the (?:picture|screen|room|image|scene) empty", "what do you see"),
)  # fmt: skip
_COLOUR = "|".join((*COLOURS, "gray"))
_FEW = r"(?:(?:only|exactly|just|more than|less than|fewer than|at least|at most) )?(?:one|two|three|four|five|\d+)"
_TURN_UP = r"(?:appear|arrive|enter|show up|turn up|pass|come|(?:come|pass|walk|drive|run|go) (?:by|in|past|through|along|into (?:the )?(?:picture|view|room|scene)))"
_A_NAME = r"(?P<name>[a-z' -]+?)"
_WITH = r"(?P<one>[a-z' -]+?) and (?P<other>[a-z' -]+?) (?:there |shown |seen |visible |here )?(?:together|at the same time|at once)"
_BRIEFLY = {
    "when": "when was {name} shown", "where": "where was {name}", "how long": "how long was {name} there",
    "how often": "how often was {name} there", "which way": "which way did {name} move", "what colour": "what colour was {name}",
    "what color": "what colour was {name}", "colour": "what colour was {name}", "color": "what colour was {name}",
}  # fmt: skip
"""What two words ask: "when penguin", "penguin colour"."""
_ON = r"(?:on|at|in|to|near) the (?:left|right|top|bottom|middle|centre|center|corner)(?:[ -]hand)?(?: side| corner| half| part)?"
_IN_VIDEO = r"(?:in|on) (?:the|this|that) (?:video|film|movie|clip|recording|footage|stream)"
_VISIBLE = r"(?:visible|shown|seen|present|in view|in sight|on screen|in the (?:picture|image|frame|scene|view))"
_ANYONE = r"(?:anyone|anybody|someone|somebody|everyone|everybody|no one|no-one|nobody)"
"""Who is asked whether they have seen something is not looked for."""
_REWORDED = (
    (rf"(?:has|have|had|did)(?:n't)? {_ANYONE} (?:ever |already |just )?(?:seen?|spot(?:ted)?|noticed?) {_A_NAME}", "have you seen {name}"),
    (rf"(?:does|do|can|could)(?:n?'t)? {_ANYONE} (?:still |already |just )?(?:see|spot|notice) {_A_NAME}", "do you see {name}"),
    (rf"(?:what|which) {_A_NAME} (?:are|were|is|was) (?:there )?{_IN_VIDEO}", "what {name} were there"),
    (rf"how many {_A_NAME} (?:are|were) (?:there )?{_IN_VIDEO}", "how many {many} were there"),
    (rf"(?:is|was) (?:there )?(?P<an>an?) {_A_NAME} {_IN_VIDEO}", "was there {an} {name}"),
    (rf"(?:is|was|did|does|has) (?:it|(?:the|this|that) (?:video|film|movie|clip|recording|footage|stream)) (?:show|shows|showed|shown|have|contain|include|contained|included) (?P<an>an?) {_A_NAME}", "was there {an} {name}"),
    (rf"(?P<verb>is|was) (?P<an>an?) {_A_NAME} (?:ever )?{_VISIBLE}", "{verb} there {an} {name}"),
    (rf"did (?P<an>an?) {_A_NAME} (?:ever )?{_TURN_UP}", "was there {an} {name}"),
    (rf"did any {_A_NAME} (?:ever )?{_TURN_UP}", "were there any {name}"),
    (r"(?P<verb>is|are|was|were) (?P<one>(?:the|that|this|these|those) [a-z' -]+?|it|he|she|they) (?:alone|by itself|by themselves|on its own)", "what {verb} with {one}"),
    (rf"(?P<verb>is|are|was|were) {_A_NAME} (?:walking|running|driving|going|flying|swimming|travelling)(?: (?:by|past|around|along))?", "which way {verb} {name} moving"),
    (rf"what (?:kind|sort|type) of {_A_NAME} (?:is|was|are|were) (?:it|that|this|they|those|these|there)", "what {name} did you see"),
    (rf"is (?:it|that|this) an? {_A_NAME} or an? [a-z' -]+?", "what do you see"),
    (rf"and (?:the |an? |any ){_A_NAME}", "tell me about the {name}"),
    (rf"was (?:it|that|this) an? {_A_NAME} or an? (?P<other>[a-z' -]+?)", "did you see a {name} or a {other}"),
    (rf"(?P<verb>is|was) (?:it|that|this) (?P<an>an?) {_A_NAME}", "{verb} there {an} {name}"),
    (rf"(?P<an>was|were) (?:the|this|that|these|those) {_A_NAME} (?:ever )?(?:there|here|{_VISIBLE})", "did you see the {name}"),
    (rf"(?P<verb>is|are) (?:the|this|that|these|those) {_A_NAME} (?:there|here|{_VISIBLE})", "{verb} the {name} still there"),
    (rf"(?:i think )?(?:that )?there (?P<verb>is|are|was|were) (?P<an>an?|some) {_A_NAME}", "{verb} there {an} {name}"),
    (rf"(?:i think )?(?:that )?i (?:saw|have seen) (?P<an>an?|some|the) {_A_NAME}", "did you see {an} {name}"),
    (rf"how long ago (?:did you (?:last )?see|was|were|did) (?:the |an? )?{_A_NAME}(?: (?:there|shown|seen|here|come|appear|leave))?", "when did you last see the {name}"),
    (rf"(?:(?:go|jump|skip|take me|bring me) (?:back )?to|(?:i|we) (?:want|would like) to see) (?:the |an? )?{_A_NAME}", "tell me about the {name}"),
    (rf"(?P<verb>is|are|was|were) {_A_NAME} {_ON}(?: or (?:{_ON}|(?:the )?(?:left|right|top|bottom)))?(?: of the (?:picture|screen|frame|image|scene|video))?", "where {verb} {name}"),
    (rf"(?:on|at|in) (?:which|what) (?:side|part|corner|half)(?: of the (?:picture|screen|frame|image|scene|video))? (?P<verb>is|are|was|were) {_A_NAME}", "where {verb} {name}"),
    (rf"where (?P<verb>is|are|was|were) {_A_NAME} (?:located|placed|positioned|standing|sitting|lying|to be found)", "where {verb} {name}"),
    (rf"what (?:followed|succeeded|(?:was|came|comes) (?:right |directly )?next after|(?:was|came) (?:right |directly )after) {_A_NAME}", "what came after {name}"),
    (rf"what (?:preceded|(?:was|came) (?:right |directly )before) {_A_NAME}", "what came before {name}"),
    (rf"(?:what (?:is|was) )?(?:the )?(?:total |whole |maximum |largest )?number of (?:the )?{_A_NAME}(?: (?:there|you saw|shown|seen))?", "how many {many} did you see"),
    (rf"how many {_A_NAME} (?:at most|at the most|maximum|at once|in total|in all|overall)", "how many {many} did you see"),
    (rf"(?P<verb>are|were) (?:these|those|they) {_A_NAME}", "{verb} there any {name}"),
    (rf"did {_A_NAME} (?:move|go|walk|run|drive|fly) (?:to the |from )?(?:left|right|up|down|upwards?|downwards?)(?: (?:or|to) (?:to )?(?:the )?(?:left|right|up|down|upwards?|downwards?))?", "which way did {name} move"),
    (rf"(?:is|are) {_A_NAME} (?:moving|going|walking|running|driving|flying) (?:to the )?(?:left|right|up|down|upwards?|downwards?)(?: or (?:to the )?(?:left|right|up|down|upwards?|downwards?))?", "which way is {name} moving"),
    (rf"(?P<verb>is|are|was|were) (?P<one>(?:the |this |that |these |those |your )[a-z' -]+?|it|they) (?:{_COLOUR})(?: or (?:{_COLOUR}))?", "what colour {verb} {one}"),
    (rf"(?:were|was) (?:there )?{_WITH}", "was {one} with {other}"),
    (rf"(?:are|is) (?:there )?{_WITH}", "is {one} with {other}"),
    (rf"(?P<see>did you see|have you seen) {_WITH}", "{see} {one} with {other}"),
    (rf"(?:is|are) there {_FEW} {_A_NAME}", "how many {many} are there"),
    (rf"(?:is|are) there {_FEW} {_A_NAME} {_IN_VIDEO}", "how many {many} were there"),
    (rf"(?:was|were) there {_FEW} {_A_NAME}", "how many {many} were there"),
    (rf"(?P<verb>did|does|do) {_A_NAME} move", "which way {verb} {name} move"),
    (rf"(?P<verb>is|are|was|were) {_A_NAME} moving", "which way {verb} {name} moving"),
    (rf"(?:(?:can|could) you )?(?:please )?(?:show me|find|look for|search for) {_A_NAME}", "tell me about {name}"),
    (rf"(?:(?:can|could|will|would) you )?(?:please )?count (?:all )?(?:the )?{_A_NAME}", "how many {many} did you see"),
)  # fmt: skip
_BRIEF = re.compile(
    rf"(?P<asks>{'|'.join(_BRIEFLY)}) (?:of )?(?:the |a |an )?(?P<name>[a-z' -]+?)|(?:the |a |an )?(?P<name2>[a-z' -]+?) (?P<asks2>{'|'.join(_BRIEFLY)})"
)
_PRONOUNS = frozenset({"it", "he", "she", "they"})
_SORT = re.compile(r"(?:what|which) [a-z]+")
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
    straight = _in_few_words(plain, over=over) or _in_other_words(plain) or _direct(plain)
    if straight in {"", plain}:
        return text
    return f"{told}{gap}{sentence(straight)[:-1]}?"


def _in_few_words(plain: str, *, over: bool) -> str:
    """Return the question that "dog", "any dogs" or "how many dogs" stands for; empty if it is none."""
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


def _in_other_words(plain: str) -> str:
    """Return what a question asks that names nothing, or wants a "yes" of a colour or number; empty if it is another."""
    for form, words in _VAGUE:
        if re.fullmatch(form, plain):
            return words
    for form, words in _REWORDED:
        found = re.fullmatch(form, plain)
        name = found and found.groupdict().get("name")
        if found and (name is None or name in _PRONOUNS or _is_name(name)):
            straight = words.format(**found.groupdict(), many=_several(name or ""))
            return straight if "kind|" not in form or is_known(straight) else ""
    if (found := _BRIEF.fullmatch(plain)) and _is_name(name := found["name"] or found["name2"]):
        return _BRIEFLY[found["asks"] or found["asks2"]].format(name=f"the {name}")
    sort = f"{plain} did you see"
    return sort if _SORT.fullmatch(plain) and asks_to_count(sort) else ""


def _several(name: str) -> str:
    table = word_table()
    return table[table.number[name]].plural if name in table.number else name


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
