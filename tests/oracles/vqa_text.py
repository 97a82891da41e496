"""The answer normalisation of VQAv2 and of EvalAI (TextVQA, VizWiz, LLaVA's converters), and the soft accuracy.

Follows vqaEval.py of GT-Vision-Lab/VQA and m4c_evaluator.py of haotian-liu/LLaVA; the tables are the same in both.
"""

import re
from collections.abc import Sequence

# In the order in which the official scripts go through them.
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
NUMBERS = ("none zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ARTICLES = ("a", "an", "the")
COMMA_BETWEEN_DIGITS = re.compile(r"\d,\d")
# The official pattern also has "(?!<=\d)" in front, which is meant as a look-behind and always holds.
FULL_STOP_BEFORE_NO_DIGIT = re.compile(r"\.(?!\d)")
# The official call passes re.UNICODE, which is 32, where the number of replacements belongs.
MOST_FULL_STOPS = 32

NUMBER_WORDS = {word: str(number) for number, words in enumerate(NUMBERS) for word in words.split()}

# Each line: the spelling with apostrophes, then the spellings that become it. Keys with a capital never apply,
# because words are lower-cased first; they are kept because the official table has them.
CONTRACTION_LINES = """
ain't aint
aren't arent
can't cant
could've couldve
couldn't couldnt
couldn't've couldn'tve couldnt've
didn't didnt
doesn't doesnt
don't dont
hadn't hadnt
hadn't've hadnt've hadn'tve
hasn't hasnt
haven't havent
he'd hed
he'd've hed've he'dve
he's hes
how'd howd
how'll howll
how's hows
I'd've Id've I'dve
I'm Im
I've Ive
isn't isnt
it'd itd
it'd've itd've it'dve
it'll itll
let's let's
ma'am maam
mightn't mightnt
mightn't've mightnt've mightn'tve
might've mightve
mustn't mustnt
must've mustve
needn't neednt
not've notve
o'clock oclock
oughtn't oughtnt
'ow's'at ow's'at 'ows'at 'ow'sat
shan't shant
she'd've shed've she'dve
she's she's
should've shouldve
shouldn't shouldnt
shouldn't've shouldnt've shouldn'tve
somebodyd somebody'd
somebody'd've somebodyd've somebody'dve
somebody'll somebodyll
somebody's somebodys
someone'd someoned
someone'd've someoned've someone'dve
someone'll someonell
someone's someones
something'd somethingd
something'd've somethingd've something'dve
something'll somethingll
that's thats
there'd thered
there'd've thered've there'dve
there're therere
there's theres
they'd theyd
they'd've theyd've they'dve
they'll theyll
they're theyre
they've theyve
'twas twas
wasn't wasnt
we'd've wed've we'dve
we've weve
weren't werent
what'll whatll
what're whatre
what's whats
what've whatve
when's whens
where'd whered
where's wheres
where've whereve
who'd whod
who'd've whod've who'dve
who'll wholl
who's whos
who've whove
why'll whyll
why're whyre
why's whys
won't wont
would've wouldve
wouldn't wouldnt
wouldn't've wouldnt've wouldn'tve
y'all yall
y'all'll yall'll y'allll
y'all'd've yall'd've y'alld've y'all'dve
you'd youd
you'd've youd've you'dve
you'll youll
you're youre
you've youve
"""

CONTRACTIONS = {variant: line.split()[0] for line in CONTRACTION_LINES.strip().splitlines() for variant in line.split()[1:]}


def without_breaks(text: str) -> str:
    """Line breaks and tabs as spaces, nothing at the ends."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def process_punctuation(text: str) -> str:
    """Each mark goes away or becomes a space; which of the two is decided on the text as it came in."""
    has_comma_between_digits = COMMA_BETWEEN_DIGITS.search(text) is not None
    result = text
    for mark in PUNCTUATION:
        beside_a_space = mark + " " in text or " " + mark in text
        result = result.replace(mark, "" if beside_a_space or has_comma_between_digits else " ")
    return FULL_STOP_BEFORE_NO_DIGIT.sub("", result, count=MOST_FULL_STOPS)


def process_words(text: str) -> str:
    """Lower case, number words as digits, no articles, apostrophes put into contractions, single spaces."""
    words = [NUMBER_WORDS.get(word, word) for word in text.lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def normalise_vqa(text: str) -> str:
    """The VQAv2 normalisation of a text that has gone through without_breaks."""
    return process_words(process_punctuation(text))


def normalise_evalai(text: str) -> str:
    """What EvalAIAnswerProcessor makes of a text."""
    lowered = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return process_words(process_punctuation(without_breaks(lowered)))


def accuracy_of_matches(matches: Sequence[int]) -> float:
    """The mean of min(1, matches / 3), where each number belongs to one annotator left out."""
    return sum(min(1.0, number / 3) for number in matches) / len(matches)


def leave_one_out(answer: str, references: list[str]) -> float:
    """Soft accuracy: each annotator in turn is left out and the answer is compared with the others."""
    equal = [int(reference == answer) for reference in references]
    return accuracy_of_matches([sum(equal) - one for one in equal])
