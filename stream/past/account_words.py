"""Which questions ask for an account: all that was shown, in order.

    asks     what has happened | what did i miss | what have you seen | what was in the video
    orders   summarize | describe | list | tell me ...  +  everything | the video | what happened
    nouns    give me a | i want a | a  +  summary | recap | overview ...
    ends     so far | in order | in the video | on this stream | please ...

A question is one if all of it is made of these and of nothing else: "What did you see first?" and
"What happened after the dog?" are about one moment, "Describe the picture." is about now. What is not
surely for an account is put to the language model as it stands.
"""

import re

TOLD_AS = "What has happened?"
"""How the language model is asked for an account: the wording that it knows best."""

_VIDEO = r"(?:(?:the|this|that) (?:whole |entire |full )?(?:video|film|movie|clip|stream|recording|footage|show|feed|session|live stream))"  # fmt: skip
_SEE = r"(?:see|seen|saw|watch|watched|notice|noticed|observe|observed|witness|witnessed|spot|spotted)"  # fmt: skip
_HAPPENED = r"(?:happen|happened|happening|occurred|gone on|went on|going on|taken place|took place|been happening|been going on)"  # fmt: skip
_ASKED = (
    rf"what (?:all )?(?:has |have |had |did |was |is |all )*{_HAPPENED}(?<!going on)(?<!\bhappening)",
    rf"what (?:has|have|is) been (?:{_HAPPENED}|shown|seen|there|visible|on)",
    r"what (?:did|have|has|had) (?:i|we) (?:miss|missed)|did (?:i|we) miss (?:anything|something|much)",
    rf"what (?:all )?(?:things )?(?:did|have|had) you (?:{_SEE}|been (?:seeing|watching|shown))",
    r"what (?:all )?was (?:shown|there|seen|on|visible)|what things (?:were|was) (?:shown|there|seen)",
    rf"what (?:is|was|were) (?:all )?(?:in|on) {_VIDEO}",
    rf"what (?:does|did) {_VIDEO} show|what (?:is|was|s) {_VIDEO} (?:all )?about",
    rf"what (?:is|was) shown in {_VIDEO}|what (?:happens|goes on) in {_VIDEO}",
)
_TOLD = rf"(?:{'|'.join(_ASKED)})"
_STORY = rf"(?:everything|it all|all of it|all|the story|the events|the scenes|all (?:the )?(?:scenes|things|events)|{_VIDEO}|the (?:day|night|morning|afternoon|evening))"  # fmt: skip
_SHOWN = rf"(?:(?: that| which)?(?: {_HAPPENED}| (?:was|were|has been|have been) (?:shown|seen|there)| (?:i|we) (?:have )?missed| you (?:have )?{_SEE}))"  # fmt: skip
_INDIRECT = rf"(?:what (?:you (?:have )?{_SEE}(?<! see)|(?:i|we) (?:have )?missed|(?:has |have |had )?{_HAPPENED}|(?:was|has been) (?:shown|there|seen)))"  # fmt: skip
_ORDERS = rf"(?:summari[sz]e|recap|sum up|describe|list|name|retell|recount|enumerate|tell(?: me| us)?|show me|give me|go through|walk me through|report)(?: (?:about|on))? (?:{_STORY}{_SHOWN}?|{_INDIRECT})"  # fmt: skip
_NOUN = r"(?:(?:short|brief|quick|full|complete|detailed|chronological|little) )*(?:summary|recap|overview|account|rundown|run down|timeline|description|list|report|synopsis)"  # fmt: skip
_OF = rf"(?: (?:of|about|on|for) (?:{_STORY}{_SHOWN}?|{_INDIRECT}))?"
_NOUNS = rf"(?:(?:give|make|write|show)(?: me| us)? |can i (?:have|get) |(?:i|we) (?:want|need|would like) |what is )?(?:an? |the |your )?{_NOUN}{_OF}"  # fmt: skip
_BARE = r"(?:summari[sz]e(?: it| this)?|recap|sum up|sum it up|what did i miss)"
_ENDS = rf"(?: (?:so far|in order|in sequence|in short|in brief|briefly|shortly|up to now|until now|till now|by now|to date|all in all|altogether|overall|here|there|already|please|again|chronologically|in chronological order|in the right order|in order of time|in the order (?:it|they) (?:came|appeared|happened)|step by step|one by one|one after another|scene by scene|with times|from (?:the )?(?:beginning|start)(?: to (?:the )?end)?|since (?:the )?(?:beginning|start)|from start to finish|while (?:i|we) (?:was|were) (?:away|gone|out|not here)|(?:in|on|during|of) {_VIDEO}))*"  # fmt: skip
_BEGINNINGS = r"(?:(?:please|ok|okay|so|and|well|now|hey|hello|hi|then|can you|could you|would you|will you|can you please|could you please|i want you to|i would like to know) )*"  # fmt: skip
_ACCOUNT = re.compile(rf"{_BEGINNINGS}(?:{_TOLD}|{_ORDERS}|{_NOUNS}|{_BARE}){_ENDS}")

_TOKEN = re.compile(r"[a-z]+|[^\sa-z,.;:!?'-]")
_LONGEST = 200  # characters of what can still be nothing but these words
_OF_A_MOMENT = frozenset({"what was shown", "what was there", "what did you see"})
"""Asked of one moment they ask for all that is in it, and the model knows them so."""


def account_wording(text: str) -> str | None:
    """Return how to ask the model for the account that `text` asks for; None if it asks for none.

    Args:
        text: Its last line is what was asked; instructions may stand before it.
    """
    asked = text.rpartition("\n")[2]
    if len(asked) > _LONGEST:
        return None
    spelled = (
        asked.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("what's", "what is")
    )
    plain = " ".join(_TOKEN.findall(spelled))
    if _ACCOUNT.fullmatch(plain) is None:
        return None
    return text if plain in _OF_A_MOMENT else TOLD_AS
