"""Telling a question, an answer, thanks and small talk apart, by their words. Heuristics, and in English mostly.

Tuned by reading what they chose in two public communities' exports: a draft entry that is no question costs a reviewer
a moment, a missed one costs nothing, so in doubt a message is no question.
"""

from __future__ import annotations

import re

from bot.importers.slack_text import CODE, prose
from bot.importers.text import word_set

QUESTION = 3.0  # from this score on, a message is a question
MIN_WORDS = 5
MIN_LETTERS = 24

_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|hiya|howdy|good (?:morning|afternoon|evening|day)|greetings|hallo|bonjour|salut|moin|yo|"
    r"happy \w+|sorry|excuse me|ok|okay|so|well|um+|hm+|quick question|newbie question|noob question|question|"
    r"dumb question|silly question|stupid question)"
    r"(?:[ ,]+(?:all|everyone|everybody|folks|guys|there|team|people|friends|again|racketeers|y'all|both|@\S+))*"
    r"\s*[,.!:;\-–—…]*\s+)+",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:how|what(?:'s|s)?|why|where|when|which|who|whom|whose|is|are|was|were|do|does|did|can|could|should|"
    r"would|will|"
    r"has|have|had|am|any(?:one|body|thing)?|if|shall|may|might|isn't|aren't|doesn't|don't|can't|"
    r"wie|was|warum|wo|wann|wer|gibt|kann|hat|comment|pourquoi|est-ce|quel(?:le)?s?|où|qui)\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:how (?:do|can|should|would|could|does|to|might|come) |(?:does|do|did|has|have|is|are|can|could|would) "
    r"any(?:one|body)\b|any(?:one|body) (?:know|here|have|had|got|using|used|else|tried|seen|able|up|aware|ever)|"
    r"is there (?:\w+ )?(?:a|an|any|some)\b|are there (?:\w+ )?(?:any|some)\b|is it (?:possible|ok|safe|"
    r"recommended|normal|better|allowed)|"
    r"what(?:'s| is| are| would be) (?:the|a|an|your) |"
    r"any (?:idea|ideas|suggestion|suggestions|advice|pointers|tips|thoughts|recommendations|help|way|chance)|"
    r"where (?:can|do|is|should|are) |which (?:one|is|of|package|library|version)|why (?:is|does|do|are|can't|"
    r"would|did) |"
    r"(?:can|could) (?:someone|somebody|i|you guys|we) |should i\b|what am i |am i (?:missing|doing|right)|"
    r"what (?:do|does|should|would) (?:i|you|people|the|this)|what does )",
    re.IGNORECASE,
)
_HOW_TO = re.compile(
    r"\b(?:how (?:do|can|should|would|could) (?:i|we|you)|is there (?:a|any) (?:\w+ )?way)\b", re.IGNORECASE
)
_TROUBLE = re.compile(
    r"\b(?:i(?:'m| am) (?:trying|getting|having|looking|struggling|stuck|wondering|confused|not sure|unsure|unable)|"
    r"i(?:'ve| have) (?:been trying|got a (?:question|problem)|a (?:question|problem))|i (?:get|got) (?:an?|this|the) "
    r"(?:\w+ )?error|i (?:can't|cannot|can not|couldn't|don't (?:know|understand|see)|need (?:to|help|a)|want to|would "
    r"like to|'d like to)|having (?:trouble|problems|issues|an issue|a hard time)|(?:doesn't|does not|won't|isn't|not) "
    r"work(?:ing)?|fails? (?:with|to)|error|stuck (?:on|with|at)|wondering (?:if|how|why|what|whether|about)|"
    r"looking for|struggling|help (?:me|with|would)|curious (?:if|how|why|what|whether))\b",
    re.IGNORECASE,
)
_ANNOUNCING = re.compile(
    r"\b(?:i(?:'ve)? (?:just )?(?:published|released|wrote|launched|open.?sourced|pushed|posted|made a (?:new|small))|"
    r"(?:new|latest) (?:release|version|blog ?post|episode|video)|just (?:released|published|launched)|announc\w+|psa|"
    r"we(?:'re| are) hiring|hiring|job (?:opening|offer)|cfp|call for (?:papers|speakers)|meetup|conference|workshop|"
    r"webinar|join us|register (?:now|here)|check (?:it )?out|take a look|feel free|fyi|til|reminder|congrat\w*|"
    r"welcome|happy (?:new year|birthday|friday)|apply to speak|sign up|survey|stream(?:ing)? (?:now|live))\b",
    re.IGNORECASE,
)
#: How an answer to something said before begins. A question worth an entry stands on its own.
_CONTINUING = re.compile(
    r"^(?:@\S+|and|but|or|also|because|cause|cuz|then|yes|yeah|yep|yup|no|nope|nah|oh|ah|aha|ahh?|haha\w*|lol|hm+|hah|"
    r"right|sure|true|exactly|indeed|agreed|interesting|thanks|thank you|thx|cool|nice|great|ok|okay|well|actually|"
    r"otherwise|that|that's|it|it's|they|those|these|he|she|maybe|perhaps|i think|i guess|i mean|i'd|i would|you|"
    r"you're|"
    r"you can|for example|basically|like|wait|except|unless|still|btw|same|not|just|wow|same here|what about|how about|"
    r"or is|\.\.\.|…|\(|\^)(?=[\s,.!?:;…'’]|$)",
    re.IGNORECASE,
)
_LEANING = re.compile(
    r"^(?:so |and |but |then |or )?(?:(?:is|was|are|were|does|did|do|has|have|can|could|would|should|will|isn't|"
    r"doesn't|why|how|what|where|when|who)(?:'s| is| are| does| do| did| would| about| if)? )?(?:not )?"
    r"(?:that|it|this|they|those|these|he|she|him|his|her|them|you|your|there any|so)\b(?! (?:anyone|possible|ok|safe|"
    r"guys|recommended|normal|better|allowed|channel|community|all\b))",
    re.IGNORECASE,
)
#: Said to one person about their affairs: part of a conversation.
_TO_ONE = re.compile(
    r"\b(?:your|yours|you're|have you|did you|are you|were you|do you (?:have|use|mean|want|need|get)|you (?:said|"
    r"wrote|"
    r"mean|mentioned|could|should|can|might|want|need))\b",
    re.IGNORECASE,
)
_TO_ALL = re.compile(
    r"\b(?:any(?:one|body)|some(?:one|body)|you (?:guys|all|folks)|y'all|folks|everyone|any of you|do you know|"
    r"how do you|what do you (?:use|recommend|do)|would you (?:recommend|suggest))\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\b(?:just me|lol|haha+|rofl|lmao|jk|just kidding|joking|right\?|eh\?|huh\?|no\?|you know\?|ok\?|okay\?|see\?|"
    r"what do you (?:mean|think)|do you mean|who knows|why not\?|so what|isn't it\?|aren't (?:we|they|you)\?)",
    re.IGNORECASE,
)

_THANKS = re.compile(
    r"\b(?:thanks?|thank you|thx|tnx|ty|tysm|cheers|much appreciated|appreciate (?:it|that|the help)|danke|merci|"
    r"gracias|"
    r"perfect|brilliant|awesome|excellent|exactly what i (?:needed|was looking for|wanted))\b",
    re.IGNORECASE,
)
_WORKED = re.compile(
    r"\b(?:(?:that|this|it|which) (?:(?:did|totally|indeed|just|actually|now|really|all) )*(?:worked|works|helped|"
    r"helps|"
    r"fixed|fixes|solved|solves|did it|did the trick|does the trick)|(?:works|working|solved|fixed|got it working) "
    r"(?:now|great|perfectly|like a charm|fine)|that was (?:it|the (?:problem|issue|trick))|problem solved|you "
    r"were right|"
    r"that's (?:it|exactly|what i (?:needed|was looking for|wanted))|makes (?:perfect |total |a lot of )?sense)\b",
    re.IGNORECASE,
)
_UNSOLVED = re.compile(
    r"\b(?:(?:doesn't|didn't|does not|did not|don't|isn't|not|won't|still|never) (?:\w+ )?(?:work\w*|help\w*|"
    r"fix\w*|solve\w*|"
    r"sense|it\b)|but (?:i|it|the|when|how|what|now|that|this|then|still)|still (?:get|getting|the same|not|no)|"
    r"thanks (?:in advance|for any)|no luck|unfortunately|anyway|however)\b",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"^(?:(?:thanks?|thank you|thx|ty|np|no (?:problem|worries|prob)|you(?:'re| are)? welcome|(?:ur|yw) "
    r"?(?:welcome)?|sure|"
    r"sure thing|ok|okay|kk?|cool|nice|great|awesome|good|good (?:luck|point|idea|question|to know|catch|job)|"
    r"same|same "
    r"here|me too|\+1|yes|yeah|yep|yup|no|nope|nah|ah+|oh+|aha+|hm+|huh|wow|right|exactly|indeed|true|agreed?|this|"
    r"interesting|lol|haha\w*|hehe\w*|i see|got it|gotcha|makes sense|glad (?:it|that|to)\b.*|happy to help|"
    r"anytime|any "
    r"time|cheers|sounds? good|my pleasure|will do|done|perfect|excellent|very|so|much|a lot|welcome|sorry|oops|"
    r"i (?:think|guess|suppose)(?: so)?|not sure|i don't know|dunno|no idea|maybe|probably|of course|definitely|"
    r"absolutely|for sure|let me (?:see|check|look|think)\b.*|one (?:sec|second|moment|minute)|looking|checking|"
    r"let's see|(?:i'll|i will|lemme|let me|will|gonna|going to) (?:just )?(?:try|check|look|test|see|have a look|"
    r"give)\b.*|something like that|"
    r"well|hi|hello|hey|all|everyone|there|bye|it is|it does|that's right|correct|fair enough|"
    r"@\S+|CODE\?|[^\w\s]+)[\s,.!?;:)\-–—…]*)+$",
    re.IGNORECASE,
)
_CLARIFYING = re.compile(r"\b(?:you|your|you're|u|ur|which|what|version|example|code|error)\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(
    r"\b(?:i|i'm|i've|my|me|we|our|any(?:one|body)|some(?:one|body)|is there|how (?:do|to|can))\b", re.I
)
_EMPTY = word_set(
    "the and for with any anyone anybody someone somebody there this that these those them they have has had does "
    "did do "
    "can could would should will what which why how who where when way good best better easy easier idea ideas "
    "use using "
    "used know you your guys like something anything thing things possible make sense work works about out just "
    "some more "
    "here but not don't doesn't isn't are was were been being get got want need help please thanks question "
    "simple case "
    "i'm i've it's what's that's missing done wrong right else from into than then elsewhere still also really "
    "experience see try tried achieve same fix local normal"
)
_SENTENCE_END = re.compile(
    r"(?:(?<=[.!?…])|"
    r"(?<=[.!?…][)\"']))(?<!\bi\.e\.)(?<!\be\.g\.)(?<!\bvs\.)(?<!\bSt\.)(?<!\betc\.)\s+(?=[\"'(`@#\w])|\n+"
)


def without_greeting(text: str) -> str:
    """The text from where it comes to the point."""
    return _GREETING.sub("", re.sub(r"^(?:@\S+[\s,:]+)+", "", text), count=1).lstrip(" ,.!:)-–—")


def is_telling(text: str) -> bool:
    """Whether this says what it is about: a title that only points elsewhere ("has anyone used this?") does not."""
    words = re.findall(r"[\w.'/-]+", prose(text).casefold())
    return len({word for word in words if len(word) > 2 and word not in _EMPTY}) + text.count("`") // 2 >= 4


def sentences(text: str) -> list[str]:
    """The sentences of prose. A line ends one as well; code is never cut."""
    parts: list[str] = [""]
    for part in CODE.split(text):
        if part.startswith("`"):
            parts[-1] += part
            continue
        pieces = _SENTENCE_END.split(part)
        parts[-1] += pieces[0]
        parts += pieces[1:]
    return [part.strip() for part in parts if part.strip()]


def asks(sentence: str) -> bool:
    """Whether this sentence asks something by itself."""
    words = without_greeting(prose(sentence))
    if _ASIDE.search(words):
        return False
    ends_so = words.rstrip(" )\"'.!").endswith("?")
    return (ends_so or bool(_STRONG.match(words)) or bool(_HOW_TO.search(words))) and (
        bool(_OPENING.match(words)) or bool(_STRONG.search(words)) or len(words.split()) >= MIN_WORDS
    )


def question_score(text: str) -> float:
    """How surely this is a question worth an answer, and stands on its own. From `QUESTION` on it counts as one."""
    words = without_greeting(prose(text))
    if len(words.split()) < MIN_WORDS or len(words) < MIN_LETTERS:
        return 0.0
    asked = [sentence for sentence in sentences(words) if asks(sentence)]
    trouble, strong = bool(_TROUBLE.search(words)), bool(_STRONG.search(words))
    score = 1.5 * bool(asked) + 1.5 * strong + 1.5 * trouble
    score += 1.0 if any(_OPENING.match(without_greeting(sentence)) for sentence in asked) else 0.0
    score += 0.5 * ("CODE" in words) + 0.5 * (len(words.split()) >= 15) + 0.5 * bool(_FIRST_PERSON.search(words))
    if not asked and not (trouble and strong):
        score -= 1.5
    score += 0.5 if asked and len(words.split()) >= 8 and not _TO_ONE.search(words) else 0.0
    if _TO_ONE.search(words) and not _TO_ALL.search(words):
        score -= 2.0 if len(words.split()) < 40 else 0.5
    if _ANNOUNCING.search(words):
        score -= 2.0
    if _CONTINUING.match(words):
        score -= 2.0
    if _LEANING.match(asked[0] if asked else words):
        score -= 1.5 if len(sentences(words)) < 3 else 0.5
    return score


def is_question(text: str) -> bool:
    """Whether this is a question to keep, if it is answered."""
    return question_score(text) >= QUESTION


def is_new_question(text: str) -> bool:
    """Whether somebody else than the asker brings up a question of their own, rather than asking back."""
    words = prose(text)
    if len(words.split()) < 8 or words.startswith("@"):
        return False
    to_asker = bool(_TO_ONE.search(words)) and not _TO_ALL.search(words)
    return bool(_FIRST_PERSON.search(words) or _TO_ALL.search(words)) and not to_asker and is_question(text)


def is_small_talk(text: str) -> bool:
    """Whether nothing is said that helps: thanks, +1, emoji alone, a word or two."""
    words = prose(text)
    if "LINK" in words or "CODE" in words:
        return False
    if len(re.findall(r"\w{2,}", words)) < 3:
        return True
    return _SMALL_TALK.match(words) is not None or (bool(_THANKS.search(words)) and len(words.split()) < 7)


def says_something(text: str) -> bool:
    """Whether an answer is more than a remark such as "yes, that one"."""
    words = prose(text)
    return "LINK" in words or "CODE" in words or len(words.split()) >= 6


def is_asking_back(text: str) -> bool:
    """Whether a reply only asks the asker for more: no answer yet."""
    words = prose(text)
    if "LINK" in words or "```" in text or len(words.split()) > 45:
        return False
    parts = sentences(words)
    if "?" in words and len(words.split()) <= 12:
        return True
    return (
        bool(parts)
        and parts[-1].rstrip(" )").endswith("?")
        and (len(parts) == 1 or all(part.rstrip(" )").endswith("?") or len(part.split()) < 6 for part in parts))
    )


def is_thanks(text: str) -> bool:
    """Whether an asker says here that they have been helped."""
    words = prose(text)
    helped = _WORKED.search(words) or _THANKS.search(words)
    return bool(helped) and not _UNSOLVED.search(words) and not words.rstrip().endswith("?") and len(words.split()) < 60
