"""Wordings that ask in other words what a reader of questions knows: each with the question that it stands for.

What a form names stands as `name`, `one` and `other`; `many` is the same of several,
`one_name` the same with its article.
"""

import re
from collections.abc import Callable

from model.vision.vocabulary import COLOURS, with_article, word_table
from stream.past.counted.words import asks_to_count
from stream.past.follow_up import is_known

_SOME = r"(?:anything|something|nothing|much)"
_VAGUE = (
    (r"(?:any|what is the) (?:news|updates?|latest)|what (?:is|was) the (?:latest|newest|most recent) ?(?:thing|news|change)?|news|updates?|latest", "what has changed"),
    (r"status|what is up|sup|wassup|what (?:is this|are these|is it|have we here)", "what do you see"),
    (r"how (?:much|far back|long ago) (?:do|can) you (?:remember|see back|recall|know)|how (?:many|much) (?:clips|frames|seconds|minutes|footage) (?:did|have|do) you (?:see|seen|remember|watched)", "how long have you been watching"),
    (r"what (?:is|was|happens|happened) (?:at|in) the (?:very )?end(?: of (?:it|(?:the|this) (?:video|film|stream)))?|how does (?:it|(?:the|this) (?:video|film|stream)) (?:end|finish)|(?:the )?(?:very )?last (?:thing|scene)(?: you saw)?|what was the very last (?:thing|scene)(?: you saw)?", "what did you see last"),
    (r"(?:the )?(?:very )?first (?:thing|scene)(?: you saw)?|what was the very first (?:thing|scene)(?: you saw)?|how does (?:it|(?:the|this) (?:video|film|stream)) (?:start|begin)", "what did you see first"),
    (r"(?:did|do|have) you (?:ever )?(?:see|seen|notice) (?:anything|something) to eat|was (?:anything|something) (?:edible|to eat) (?:there|shown)|did (?:anyone|anybody|someone) bring (?:anything|something) to eat", "was there any food"),
    (r"(?:list|name|enumerate|show me|what are) (?:all )?(?:the )?(?:different )?(?:things|objects|items)(?: (?:there|shown|(?:that )?you (?:have )?(?:saw|seen|noticed)))?|name (?:some|a few|two|three|four|five|ten|\d+) (?:things|objects|items)(?: (?:there|shown|(?:that )?you (?:have )?(?:saw|seen|noticed)))?|(?:what|which) (?:objects|items)(?: (?:are|were))?(?: there| shown| visible)?", "how many different things did you see"),
    (r"(?:list|name|enumerate|show me|what are|what were) (?:all )?(?:the )?(?:different )?scenes", "how many scenes were there"),
    (r"(?:describe|tell me) what you see(?: (?:in (?:one|a single|two|three|a few) words?|briefly|shortly|in short|now|right now))*|what (?:is|s) (?:on|shown|visible)(?: (?:on )?(?:the )?(?:screen|camera|now|right now|currently|here|there))*|what can be seen(?: (?:now|right now|here))*|what (?:do|can) (?:i|we) see(?: (?:now|here))*|what are you (?:seeing|looking at|watching)(?: (?:now|right now))*|what is (?:in front of|before) (?:you|the camera)", "what do you see"),
    (r"(?:give me |what is |what was )?(?:the |a )?(?:gist|highlights?|tldr|tl dr|tl;dr|main (?:points|events)|outline|resume|rundown|whole story)(?: (?:please|of (?:it|(?:the|this) (?:video|film|stream))))*|in a nutshell|what can you (?:tell me|say) about (?:this|the) (?:video|film|stream|recording|footage)|what (?:is|was) (?:this|the) (?:video|film|stream|recording|footage) (?:of|about|showing)|what (?:did|have) i miss(?:ed)?(?: [a-z ]+)?|catch me up|bring me up to (?:date|speed)|fill me in", "what happened"),
    (r"(?:(?:was|is|were|are) there )?anything (?:interesting|exciting|unusual|strange|special|noteworthy|remarkable)(?: (?:happen|happened|there|so far|today))*|did anything (?:interesting|exciting|unusual|strange|special|noteworthy|remarkable) (?:happen|come|appear)|what (?:is|was) (?:interesting|special|unusual)(?: (?:here|there|about it))?|what was the (?:most (?:interesting|surprising|exciting|unusual|remarkable)|best|highlight) ?(?:thing|moment|part|scene)?", "what happened"),
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
_A_NAME2 = r"(?P<name2>[a-z' -]+?)"
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
_BEING = rf"(?: (?:was|were|is|are|came|comes|appeared|stayed|has been|being|{_VISIBLE}|there|here|around|on))*"
_WHILE = r"(?:while|whilst|when|as long as|during|as|at the time of|the moment)"
_STAYING = rf"(?: (?:{_VISIBLE}|there|here|stay|stayed|last|lasted|been|remain|remained|around))*"
_SAW = r"(?:see|seen|saw|notice|noticed|spot|spotted)"
_FIRST = r"(?P<way>first|last|earlier|later|longer|more often)"
_REWORDED = (
    (rf"(?:do you )?(?:remember|recall) {_A_NAME}|(?:are you |i am )?(?:sure|certain)(?: that)? there (?:was|were|is|are) {_A_NAME2}|i (?:do not|don't) (?:think|believe)(?: that)? (?:there (?:was|were|is|are)|you saw) (?P<name3>[a-z' -]+?)|(?:no,? )?there (?:wasn't|was not|weren't|were not|isn't|is not|aren't|are not) (?P<name4>[a-z' -]+?)", "did you see {one_name}"),
    (rf"(?:from (?:which|what) (?:side|direction)|from where) (?:did|do|does) {_A_NAME} (?:come|enter|appear|move|walk|drive)|where (?:did|do|does) {_A_NAME2} come from", "which way did {name} move"),
    (r"(?:what|who) (?P<way>was|is|were|are) (?P<other>(?:the|that|this) [a-z' -]+?) (?P<one>next to|beside|near|with|left of|right of|above|below)", "what {way} {one} {other}"),
    (r"how many different (?P<other>people|persons|men|women)(?: [a-z ]+)?", "how many {other} did you see"),
    (rf"(?:did|was|were|is|has) (?P<one>[a-z' -]+?) or (?P<other>[a-z' -]+?) (?:come|came|appear|appeared|stay|stayed|there|shown|seen|here|been)?(?: )?(?:for )?(?:the )?{_FIRST}(?: there)?", "which was there {way}, {one} or {other}"),
    (rf"(?:which|what|who) (?:one )?(?:was|were|stayed|lasted) {_FIRST} (?:there|shown|visible),? (?P<one>[a-z' -]+?) or (?P<other>[a-z' -]+?)", "which was there {way}, {one} or {other}"),
    (r"(?:of|among) (?:all )?the (?P<sort>[a-z]+),? (?:which|what)(?: one)? (?:came|was|appeared|did you see)(?: there)? (?P<way>first|last|second|third|longest|shortest|most often)", "which {sort} came {way}"),
    (r"(?:which|what|which one) of (?:all )?the (?P<sort>[a-z]+) (?:came|was|appeared|did you see)(?: there)? (?P<way>first|last|second|third|longest|shortest|most often)", "which {sort} came {way}"),
    (r"(?P<way>first|second|third|last) (?P<sort>[a-z]+)", "which {sort} came {way}"),
    (r"(?:which|what) (?:was|is) the (?P<way>longest|shortest) (?:scene|thing)", "what was there {way}"),
    (rf"(?:when|at what time) (?:was|were|is|did you {_SAW}) (?:there )?(?:anything|something|any things?) (?P<way>{_COLOUR})", "what was {way}"),
    (rf"(?:what|which) (?P<way>{_COLOUR}) (?:things?|objects?|ones?) (?:was|were|is|are|did you {_SAW})(?: there| shown| visible)?", "what was {way}"),
    (r"(?:what|which things?) (?:was|were|came|is) (?:the )?(?:first|next)(?: thing)? (?P<way>after|before) (?P<other>[a-z' -]+?)|what (?:was|is) the (?:last|first|next) thing (?P<way2>after|before) (?P<other2>[a-z' -]+?)", "what came {way} {other}"),
    (r"(?:was|is) (?:there )?(?:anything|something) between (?P<one>[a-z' -]+?) and (?P<other>[a-z' -]+?)", "what came between {one} and {other}"),
    (rf"during (?:the |an? )?(?P<other>[a-z' -]+?) (?:scene|part|clip),? what (?:else )?(?:happened|was there|did you {_SAW}|was shown)", "what was with the {other}"),
    (rf"(?:what|which things?)(?: else)? (?:happened|happens|was (?:there|shown|visible|going on|happening)|were (?:there|shown)|(?:did|do|can) you {_SAW}|came|appeared|was|is there|is) (?:there )?{_WHILE} (?:the |an? )?{_A_NAME}{_BEING}", "what was with the {name}"),
    (rf"who (?:else )?(?:was|came|were|is|appeared)(?: (?:there|here|shown|visible))? {_WHILE} (?:the |an? )?{_A_NAME}{_BEING}", "who was with the {name}"),
    (rf"(?:was|were|did you {_SAW}|is|did|have you {_SAW}) (?:there )?(?P<one>(?:an?|any|the|some) [a-z' -]+?|anyone|anybody|someone|somebody)(?: (?:there|here|shown|visible|come|appear|present))* (?:while|whilst|when|during) (?:the |an? )?(?P<other>[a-z' -]+?){_BEING}", "was {one} with the {other}"),
    (rf"(?:while|whilst|when|during) (?:the |an? )?(?P<other>[a-z' -]+?){_BEING},? (?:what (?:else )?(?:happened|was there|did you {_SAW}|was shown)|what else)", "what was with the {other}"),
    (rf"(?:while|whilst|when|during) (?:the |an? )?(?P<other>[a-z' -]+?){_BEING},? (?:was|were|did you {_SAW}) (?:there )?(?P<one>(?:an?|any|the|some) [a-z' -]+?|anyone|anybody|someone|somebody)(?: (?:there|too|as well))?", "was {one} with the {other}"),
    (rf"(?:did|do) (?P<one>(?:the |an? )?[a-z' -]+?) and (?P<other>[a-z' -]+?) (?:ever )?(?:appear|come|meet|stand|stay) together|(?:did|have) you ever {_SAW} (?P<one2>[a-z' -]+?) (?:together )?with (?P<other2>[a-z' -]+)", "was {one} with {other}"),
    (rf"(?:was|were|did|has|have|is|are) {_A_NAME}{_STAYING} (?:for )?(?:very |so |quite |really |too )?(?:a )?(?:very |really )?long(?: time| while)?{_STAYING}|(?:was|were|did|has|is) {_A_NAME2}{_STAYING} (?:only )?(?:for )?(?:a )?(?:short(?:ly)?|briefly|brief|quick(?:ly)?|little)(?: time| while| moment)?", "how long was {name} there"),
    (rf"(?:from when (?:to|till|until) when|between (?:which|what) (?:times|seconds|minutes)|during (?:which|what) (?:time|times|period)|(?:at )?(?:which|what) times|in (?:which|what) (?:part|period|minute|second)|from what time (?:to|until) what time) (?:was|were|is|did) {_A_NAME}{_BEING}", "when was {name} shown"),
    (rf"(?:until|till|up to) when (?:was|were|is|are|did|does) {_A_NAME}{_STAYING}|how late (?:was|did) {_A_NAME2}{_STAYING}", "when did {name} leave"),
    (rf"since when (?:is|are|was|were|has|have) {_A_NAME}{_STAYING}", "when was {name} shown"),
    (rf"when (?:was|were|did) the first {_A_NAME}(?: (?:there|here|come|came|appear|appeared|{_VISIBLE}|arrive|show up))+", "when was the {name} first shown"),
    (rf"when (?:was|were|did) the last {_A_NAME}(?: (?:there|here|come|came|appear|appeared|{_VISIBLE}|arrive|leave|go|disappear|show up))+", "when did you last see the {name}"),
    (rf"did {_A_NAME} (?:come|appear|turn up|show up|pass|pass by|arrive|enter) (?:more than once|twice|again|several times|repeatedly|a second time|many times)", "did you see {name} more than once"),
    (r"(?:did|was|were) (?P<one>[a-z' -]+?) (?:come |appear |shown |there )?(?:right|directly|immediately|just|straight|shortly) (?P<way>after|before) (?P<other>[a-z' -]+?)", "what came {way} {other}"),
    (rf"(?:did|does|do|was|were|is|are) {_A_NAME} (?:just )?(?:stand|stay|sit|keep|remain|standing|staying|lie|lying)(?: (?:still|in place|motionless|at rest|in the same place))+|(?:did|does) {_A_NAME2} not move", "did {name} move"),
    (rf"(?:is|was|are|were) there (?:no|not an?|not any|never an?) {_A_NAME}|there (?:is|was|are|were) (?:no|not an?|not any|never an?) {_A_NAME2}|(?:did|have) you (?:never|not(?: ever)?) {_SAW} (?P<name3>[a-z' -]+?)|you (?:never|did not|didn't|have not|haven't) {_SAW} (?P<name4>[a-z' -]+?)", "did you see {one_name}"),
    (rf"you (?:have |did )?(?:also )?{_SAW} {_A_NAME}", "did you see {name}"),
    (r"(?:was|were|is) there neither (?P<one>[a-z' -]+?) (?:nor|or) (?P<other>[a-z' -]+?)", "was there {one} or {other}"),
    (rf"(?:please )?(?:describe|show me|tell me about|go to) (?:the )?(?:scene|part|moment|bit|clip|section) (?:with|of|about|where|in which|when) (?:the |an? )?{_A_NAME}{_BEING}", "tell me about the {name}"),
    (rf"(?:has|have|had|did)(?:n't)? {_ANYONE} (?:ever |already |just )?(?:seen?|spot(?:ted)?|noticed?) {_A_NAME}", "have you seen {name}"),
    (rf"(?:does|do|can|could)(?:n?'t)? {_ANYONE} (?:still |already |just )?(?:see|spot|notice) {_A_NAME}", "do you see {name}"),
    (rf"(?:what|which) {_A_NAME} (?:are|were|is|was) (?:there )?{_IN_VIDEO}", "what {name} were there"),
    (rf"how many {_A_NAME} (?:are|were) (?:there )?{_IN_VIDEO}", "how many {many} were there"),
    (rf"(?:is|was) (?:there )?(?P<an>an?) {_A_NAME} {_IN_VIDEO}", "was there {an} {name}"),
    (rf"(?:is|was|did|does|has) (?:it|(?:the|this|that) (?:video|film|movie|clip|recording|footage|stream)) (?:show|shows|showed|shown|have|contain|include|contained|included) (?P<an>an?) {_A_NAME}", "was there {an} {name}"),
    (rf"(?P<verb>is|was) (?P<an>an?) {_A_NAME} (?:ever )?(?:{_VISIBLE}|there|here|around)", "{verb} there {an} {name}"),
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
    (rf"(?:did|does) {_A_NAME} (?:ever )?(?:come|appear|show up|turn up|arrive|pass|pass by|enter|exist|show)", "did you see {name}"),
)  # fmt: skip
_BRIEF = re.compile(
    rf"(?P<asks>{'|'.join(_BRIEFLY)}) (?:of )?(?:the |a |an )?(?P<name>[a-z' -]+?)|(?:the |a |an )?(?P<name2>[a-z' -]+?) (?P<asks2>{'|'.join(_BRIEFLY)})"
)
_PRONOUNS = frozenset({"it", "he", "she", "they"})
_SORT = re.compile(r"(?:what|which) [a-z]+")


def in_other_words(plain: str, is_name: Callable[[str], bool]) -> str:
    """Return what a question asks that names nothing, or wants a "yes" of a colour or number; empty if it is another."""
    for form, words in _VAGUE:
        if re.fullmatch(form, plain):
            return words
    if (reworded := _reworded(plain, is_name)) is not None:
        return reworded
    if (found := _BRIEF.fullmatch(plain)) and is_name(name := found["name"] or found["name2"]):
        return _BRIEFLY[found["asks"] or found["asks2"]].format(name=f"the {name}")
    sort = f"{plain} did you see"
    return sort if _SORT.fullmatch(plain) and asks_to_count(sort) else ""


def _reworded(plain: str, is_name: Callable[[str], bool]) -> str | None:
    """Return what one of the wordings stands for; empty if that is not known, None if it is none of them."""
    for form, words in _REWORDED:
        if (found := re.fullmatch(form, plain)) is None:
            continue
        # Of several groups for one name ("name", "name2") the one that was found.
        said = {group.rstrip("234"): text for group, text in found.groupdict().items() if text}
        name = said.get("name", "it")
        if name not in _PRONOUNS and not is_name(name):
            continue
        straight = words.format(**said, many=_several(name), one_name=_with_article(name))
        if "kind|" in form and not is_known(straight):
            return ""
        if not {"other", "sort", "way"} & said.keys() or is_known(straight):
            return straight
    return None


def _several(name: str) -> str:
    table = word_table()
    return table[table.number[name]].plural if name in table.number else name


def _with_article(name: str) -> str:
    return name if re.match(r"(?:the|an?|any|some) ", name) else with_article(name)
