"""What people say besides, and what nobody here can tell: a small language model would answer with any scene."""

import re

_HELLO = "Hello. Ask me what I see, or what I have seen."
_THANKS = "You are welcome."
_MYSELF = "I watch this stream. Ask me what I see, what I have seen, and when."
_NO_WHY = "I cannot tell why. I see what is shown, not its reasons."
_NO_FUTURE = "I cannot tell what is to come, only what was shown."
_NO_TEXT = "I cannot read text."
_NO_CLOCK = "I cannot tell what time or day it is, only when something was shown."
_NO_NAMES = "I cannot tell who somebody is, only whether somebody is there."
_NO_MEASURE = "I cannot tell how old, big, heavy or fast anything is."
_NO_WEATHER = "I cannot tell what the weather is, or whether it is day or night, inside or outside."
_NO_CLOTHES = "I cannot tell what anybody wears."
_NO_DEEDS = "I cannot tell what anybody does, only what was there, when, and which way it moved."
_NO_PLACES = "I cannot tell what is in one part of the picture. Ask me where a thing is, or what is beside it."
_NO_MORE = "I can tell only what was shown, not what was not."
_NO_REAL = "I cannot tell whether what is shown is real, drawn or live."
_NO_WHERE = "I cannot tell where this is, only where a thing is in the picture."
_NO_ALERT = "I answer what I am asked. To be told when something comes, set a watch."
_NO_LESSON = "I know nothing but what was shown. Ask me what I see, or what I have seen."
_ASK_ME = "Ask me what I see, or what I have seen."
_NOT_SURE = "I may be mistaken. The moments that an answer rests on show what I saw."
_DEEDS = "bark|run|jump|sleep|eat|drink|fall|fight|play|talk|speak|smile|laugh|cry|sing|dance|take|steal|touch|open|close|hold|carry|throw|catch|read|write|cook|work|wave|climb|swim|bite|attack|sit|stand|lie"
_DOING = "barking|running|jumping|sleeping|asleep|awake|eating|drinking|falling|fighting|playing|talking|speaking|smiling|laughing|crying|singing|dancing|taking|stealing|touching|holding|carrying|throwing|reading|writing|cooking|working|waving|climbing|swimming|sitting|standing|lying"
_NO_COMPARING = "I cannot compare these. Ask me how many there were, or which was there longer."
_NO_JUDGING = "I cannot judge that: I only tell what was shown, when, and where."
_NO_SAME = (
    "I cannot tell whether two that look alike are one and the same, only when each was there."
)
_NO_SOUND = "I do not hear anything: I only see."
_ASIDES = (
    (r"(?:hello|hi|hey|hallo|hola|ciao|bonjour|salut|servus|moin|yo|howdy|greetings|namaste|ni hao|konnichiwa|salaam|shalom|ola|hej|buenos dias|buongiorno|guten (?:tag|morgen|abend)|gruezi|good (?:morning|afternoon|evening|day))(?: (?:there|flashback|again|you|everyone|all|friend))*(?: how are you(?: doing)?(?: today)?)?|how are you(?: doing)?(?: today)?", _HELLO),
    (r"(?:(?:many )?thanks|thank you|thx|ty|cheers|merci|danke|gracias|grazie|obrigado|arigato)(?: (?:a lot|so much|very much|you|flashback|again|for your help|that is all))*|(?:great|good|ok|okay|perfect|nice|cool|awesome|excellent|wonderful|alright|got it|well done)(?: (?:great|good|cool|nice|thanks|thank you|job|work|answer|one))*|(?:good)?bye(?: bye)?", _THANKS),
    (r"what(?:'s| is) the (?:time|date)(?: now)?|what (?:time|day|date|year) is (?:it|today)(?: now| today)?|what day of the week is it", _NO_CLOCK),
    (r"who am i|(?:do you )?(?:know|recogni[sz]e) me|what(?:'s| is| was) (?:my|his|her|their|the (?:person|man|woman|dog|cat)'s) name|what (?:is|was) the name of the (?:person|man|woman|boy|girl|child|dog|cat)", _NO_NAMES),
    (r"how (?:old|big|large|small|tall|heavy|fast|expensive|far away|wide|deep) (?:is|are|was|were|did) [a-z ]+|what (?:is|was|are) the (?:biggest|largest|smallest|fastest|slowest|oldest|youngest|tallest|heaviest) [a-z ]+|what (?:size|age) (?:is|are|was|were) [a-z ]+|how much (?:does|did) [a-z ]+ (?:cost|weigh)", _NO_MEASURE),
    (r"(?:what|how) (?:is|was) the weather(?: [a-z ]+)?|(?:is|was) (?:it|there) (?:raining|snowing|sunny|windy|cloudy|cold|hot|warm|rain|snow|dark|bright|day|night|daytime|nighttime|day or night|light or dark|indoors?|outdoors?|inside|outside|in(?:doors|side) or out(?:doors|side))(?: [a-z ]+)?", _NO_WEATHER),
    (r"(?:is|are|was|were|did you see) [a-z ]*(?:(?:more|fewer|less) (?!often\b|than\b)[a-z ]+|bigger|larger|smaller|taller|older|younger|faster|slower|heavier) than [a-z ]+", _NO_COMPARING),
    (r"what (?:is|are|was|were|did) [a-z ]+ (?:wear|wearing)", _NO_CLOTHES),
    (r"what (?:is|was|are|were|did you see|do you see) (?:there )?(?:on|in|at|to) the (?:left|right|middle|center|centre|top|bottom|background|foreground|corner)(?: side)?", _NO_PLACES),
    (r"(?:what|which)(?: [a-z]+)? (?:did|do|have|has) you (?:not|never) (?:see|seen|notice|noticed)|(?:what|which)(?: [a-z]+)? (?:was|is|were|are) (?:not|never) (?:there|shown|here|seen)|what (?:is|was) missing|is (?:anything|something) missing", _NO_MORE),
    (r"(?:are you|you are) (?:really |quite )?(?:sure|certain)|really|is (?:that|this|it) (?:right|true|correct)", _NOT_SURE),
    (r"is (?:this|it|that|the (?:video|film|stream|picture)) (?:real|fake|live|recorded|a (?:photo|drawing|painting|cartoon|recording|real [a-z]+)|animated)(?: or [a-z ]+)?", _NO_REAL),
    (r"where (?:am i|are we|are you|is this|was this|is the camera|is this place)|what (?:place|city|country|town|street) is (?:this|it)|which (?:place|city|country|town|street) is (?:this|it)|where (?:was|is) (?:this|it) (?:filmed|recorded|taken|shot)", _NO_WHERE),
    (r"(?:is|was|are) (?:it|this|that|everything|there|anyone|anything|all|the [a-z]+)(?: (?:a|any))? (?:dangerous|danger|safe|ok|okay|alright|normal|suspicious|unusual|good|bad|funny|beautiful|ugly|scary|boring|happy|sad|angry|legal|illegal|important|broken|right|wrong|fine)(?: (?:there|here|now))*|should i (?:worry|be (?:worried|afraid|concerned)|care|call [a-z ]+|do [a-z ]+)|what (?:is|was) the (?:mood|atmosphere|emotion|feeling|message|meaning|point|moral)(?: [a-z ]+)?|do you (?:like|love|hate|want|think|feel|believe)(?: [a-z ]+)?|how (?:do|did) (?:you|they|he|she|it) feel|what do you think(?: [a-z ]+)?|is anything wrong|what should i do|whose fault [a-z ]+|rate [a-z ]+", _NO_JUDGING),
    (r"[\d ]+", _ASK_ME),
    (r"(?:is|was|are|were|did|does) (?:it|that|this|they|these|those|he|she)? ?(?:always |really )?the same [a-z ]+", _NO_SAME),
    (r"(?:no )?(?:you are|you're|youre|that is|that's|thats|this is) (?:wrong|incorrect|not right|not true|false|mistaken|lying)|wrong|i (?:disagree|do not believe (?:you|that|it)|don't believe (?:you|that|it))|no (?:it|that|there) (?:was|is) (?:a|an|the|not) [a-z ]+|(?:that|this) (?:was|is) not (?:a|an|the) [a-z ]+|liar", _NOT_SURE),
    (r"(?:please )?(?:repeat|say)(?: (?:that|it))?(?: again)?(?: please)?|(?:can|could) you (?:please )?(?:repeat|explain|say)(?: (?:that|it))?(?: again)?(?: please)?|what (?:do|did) you mean|explain|elaborate|speak [a-z]+|come again|pardon(?: me)?|what", _ASK_ME),
    (r"are you (?:a |an )?(?:bot|chatbot|machine|computer|program|camera|llm|assistant|alive)|(?:what|which) (?:model|ai|version|llm) (?:are you|is this)|what (?:is|are|s) your (?:prompt|instructions?|rules|system prompt|model|version)|(?:please )?(?:ignore|forget|disregard) (?:all |the |your )?(?:previous |prior |above )?(?:instructions?|rules|prompts?)[a-z ,]*|who dis", _MYSELF),
    (r"(?:yes|no|yep|yeah|nope|nah|lol|haha|h+m+|huh|eh|oh|wow|cool|test|testing|sorry|never ?mind|maybe|idk|i (?:do not|don't) know|i see|interesting|stop|quit|exit|)(?: (?:yes|no|lol|haha|cool|wow|test|please))*", _ASK_ME),
    (r"(?:please )?(?:let me know|tell me|alert me|notify me|warn me|inform me|remind me|call me|message me)(?: (?:when|if|as soon as|once|whenever)) (?:there is |you see |you notice |somebody |someone |an? |the |any |it )[a-z ]*(?:comes?|appears?|arrives?|leaves?|enters?|shows? up|moves?|is there|is back|next time|again)", _NO_ALERT),
    (r"what (?:is|are) an? [a-z]+|what does [a-z]+ mean|define [a-z]+|explain [a-z]+|what (?:is|was) the (?:capital|population|meaning|president|currency) of [a-z ]+|(?:please )?(?:tell (?:me|us) a (?:joke|story)|sing|write|translate|play)(?: [a-z ]+)?", _NO_LESSON),
    (r"how (?:do|can) you (?:know|tell)(?: that)?", _NOT_SURE),
    (r"can you (?:see|count|talk|speak)|(?:do|can) you (?:see|hear) me|what do you know|what (?:things|words|objects) do you know|list everything you know", _MYSELF),
    (r"who are you|what are you|what(?:'s| is) your name|are you (?:there|a robot|a person|human|an ai|real)|who (?:made|built) you|what can you do(?: for me)?|help(?: me)?|how can you help(?: me)?|what can i ask(?: you)?|how does this work", _MYSELF),
    (r"(?:why|for what reason|what is the reason|how come)(?: [a-z' ]+)?", _NO_WHY),
    (r"what (?:will|is going to|may|might|could) [a-z ]*(?:happen|come|be|appear)(?: [a-z ]+)?|what (?:happens|comes|is coming) next|when will [a-z ]+|will (?:it|there|the|a|an|he|she|they|anything|something|anyone|someone)(?: [a-z ]+)?", _NO_FUTURE),
    (r"(?:can you |please )?read (?:the |this |that |any |all )?(?:text|words?|letters?|sign|label|writing|caption|number|numbers|licen[cs]e plate|number plate)(?: [a-z ]+)?|what (?:does|did) (?:it|the (?:text|sign|label|caption|writing|screen)) (?:say|read)(?: [a-z ]+)?|what (?:is|was) written(?: [a-z ]+)?|what (?:is|was) the (?:licen[cs]e plate|number plate|text)(?: [a-z ]+)?", _NO_TEXT),
    (r"what (?:do|did|can) you hear|(?:is|was) there (?:any )?(?:sound|music|noise|speech)|what (?:sounds?|music|noises?) [a-z ]+|what (?:is|was|did|does) (?:he|she|they|anyone|someone|the person|the man|the woman) (?:say|saying|said|sing|singing)(?: [a-z ]+)?", _NO_SOUND),
    (rf"(?:did|does|do) (?!you (?:ever )?(?:see|notice)\b)(?![a-z ]* still$)[a-z ]*[a-z](?<!you)(?<! a)(?<! an)(?<! the) (?:{_DEEDS})(?: (?:down|up|away|there|here|now|(?:the |a |an |any |some )?[a-z]+))?|(?:is|are|was|were) (?![a-z ]* still$)[a-z ]+ (?:{_DOING})(?: (?:there|here|now|down))?", _NO_DEEDS),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), said) for pattern, said in _ASIDES)
_LONGEST = 80  # characters of what can still be an aside


def aside(text: str) -> str | None:
    """Return what is answered to `text`, if it asks nothing about what was shown; else None.

    Args:
        text: Its last line is what was said.
    """
    said = text.rpartition("\n")[2]
    if len(said) > _LONGEST:
        return None
    plain = " ".join(
        re.findall(
            r"[a-z']+|[^\sa-z,.;:!?]", said.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        )
    )
    return next((answer for pattern, answer in _PATTERNS if pattern.fullmatch(plain)), None)
