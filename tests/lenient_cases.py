"""Answers as models write them, and what a person would take them to say; "" where that is not clear.

Who writes so: [l] letter-tuned models such as LLaVA-1.5; [c] chat models asked for a letter (GPT-4o, Claude, Gemini,
Qwen-VL); [r] reasoning models (DeepSeek-R1, QVQ, Kimi-VL-Thinking); [b] base models and small ones that go on writing;
[m] answers with marks of a format (Markdown, LaTeX, JSON); [t] special tokens left in a text by a harness; [z] Chinese,
Japanese or Korean models.
"""

from __future__ import annotations

OPTIONS = ("a fire", "a cat", "two dogs", "The Eiffel Tower")
SENTENCES = ("Fire is hot.", "Ice is hot.", "Snow is red.", "Water is dry.")

#: (text, letter) with `OPTIONS`
LETTERS = [
    ("B", "B"),  # l
    ("b", "B"),  # l
    ("B.", "B"),  # l
    ("(B)", "B"),  # l
    ("(b)", "B"),  # c
    ("b)", "B"),  # b
    ("[B]", "B"),  # b
    ("B:", "B"),  # b
    (" B\n", "B"),  # b
    ("B. a cat", "B"),  # l
    ("B: a cat", "B"),  # c
    ("B) a cat.", "B"),  # c
    ("B - a cat", "B"),  # c
    ("(B) a cat", "B"),  # c
    ("(B) because it has whiskers", "B"),  # c
    ("B because it has whiskers", "B"),  # c
    ("B, a cat", "B"),  # c
    ("B\nThe picture shows an animal with whiskers.", "B"),  # b
    ("Answer: B", "B"),  # c
    ("answer: b", "B"),  # c
    ("Answer is B", "B"),  # c
    ("ANSWER: B", "B"),  # c
    ("Answer: (B)", "B"),  # c
    ("Answer: B.", "B"),  # c
    ("Answer: B. a cat", "B"),  # c
    ("Final answer: B", "B"),  # r
    ("The answer is B", "B"),  # c
    ("The answer is B.", "B"),  # c
    ("The answer is (B).", "B"),  # c
    ("The answer is: B", "B"),  # c
    ("The correct answer is B.", "B"),  # c
    ("The correct answer is **B**.", "B"),  # m
    ("The correct answer is option B.", "B"),  # c
    ("The correct option is B: a cat", "B"),  # c
    ("So the answer is B.", "B"),  # r
    ("Therefore, the answer is B.", "B"),  # r
    ("It has whiskers, so the answer is B.", "B"),  # r
    ("The best answer is B.", "B"),  # c
    ("My answer is B", "B"),  # c
    ("Option B", "B"),  # c
    ("Option (B)", "B"),  # c
    ("option b", "B"),  # c
    ("Choice B", "B"),  # c
    ("B is correct.", "B"),  # c
    ("B is the correct answer.", "B"),  # c
    ("Option B is correct", "B"),  # c
    ("I choose B.", "B"),  # c
    ("I would go with B.", "B"),  # c
    ("**B**", "B"),  # m
    ("**B.** a cat", "B"),  # m
    ("**B. a cat**", "B"),  # m
    ("*B*", "B"),  # m
    ("`B`", "B"),  # m
    ('"B"', "B"),  # m
    ("**Answer:** B", "B"),  # m
    ("**Answer: B**", "B"),  # m
    ("### Answer\nB", "B"),  # m
    (r"\boxed{B}", "B"),  # m
    (r"\boxed{\text{B}}", "B"),  # m
    (r"$\boxed{B}$", "B"),  # m
    (r"The final answer is $\boxed{B}$.", "B"),  # m
    (r"\boxed{B. a cat}", "B"),  # m
    ('{"answer": "B"}', "B"),  # m
    ("<answer>B</answer>", "B"),  # r
    ("<think>It may be A or C.</think> B", "B"),  # r
    ("<think>A, no, C</think>\n\nB", "B"),  # r
    ("<think>\nA\n</think>\n<answer>B</answer>", "B"),  # r
    ("B</s>", "B"),  # t
    ("B<|im_end|>", "B"),  # t
    ("B<|endoftext|>", "B"),  # t
    ("<s> B", "B"),  # t
    ("B [/INST]", "B"),  # t
    ("答案：B", "B"),  # z
    ("答案是B", "B"),  # z
    ("答案是 B。", "B"),  # z
    ("正确答案是B。", "B"),  # z
    ("选B", "B"),  # z
    ("选项B", "B"),  # z
    ("Ｂ", "B"),  # z
    ("（Ｂ）", "B"),  # z
    ("B。", "B"),  # z
    ("正解はBです。", "B"),  # z
    ("a cat", "B"),  # b
    ("A cat.", "B"),  # b
    ("cat", "B"),  # b
    ("It is a cat.", "B"),  # c
    ("The answer is a cat.", "B"),  # c
    ("This is a cat", "B"),  # c
    ("Two dogs", "C"),  # b
    ("The Eiffel Tower.", "D"),  # b
    ("the eiffel tower", "D"),  # b
    ("It's the Eiffel Tower, built in 1889.", "D"),  # c
    ("The answer is a fire.", "A"),  # c: the option's words, not the article
    ("A", "A"),  # l
    ("A.", "A"),  # l
    ("A fire", "A"),  # b
    ("A\n", "A"),  # l
    ("The answer is A.", "A"),  # c
    ("D", "D"),  # l
    # nothing that can be told
    ("", ""),
    (" ", ""),
    ("E", ""),  # no such option
    ("Z", ""),
    ("A or B", ""),  # c
    ("A and B", ""),  # c
    ("Either A or B.", ""),  # c
    ("A, B", ""),  # b
    ("A/B", ""),  # b
    ("It could be A. It could be B.", ""),  # c
    ("I am not sure.", ""),  # c: the pronoun is no letter
    ("I cannot tell.", ""),  # c
    ("I", ""),
    ("a", "A"),  # l: alone it is one
    ("A man is standing there.", ""),  # b: an article
    ("a big house", ""),  # b
    ("A dog", ""),  # b: no option
    ("not B", ""),  # c
    ("It is not B.", ""),  # c
    ("None of the above", ""),  # c
    ("a cat and two dogs", ""),  # b: two options
    ("Sorry, I can't help with that.", ""),  # c
    ("<think>B", ""),  # r: cut while it thinks
    ("<think>The answer is B", ""),  # r
    ("Vitamin B is good for you", ""),  # b
    ("ABCD", ""),  # b
    ("I don't know", ""),  # c
]

#: (text, letter) with `SENTENCES`
SENTENCE_LETTERS = [
    ("B\nFire is hot.", "B"),  # b: what follows in a line of its own is no part of it
    ("A\nFire is hot.", "A"),  # b
    ("Fire is hot.", "A"),  # b
    ("The answer is a fire.", ""),  # b: no option, and no letter
    ("Answer: Water is dry.", "D"),  # c
    ("C. Snow is red.", "C"),  # c
]

#: (text, yes or no)
YES_NO = [
    ("yes", "yes"),  # l
    ("Yes", "yes"),  # l
    ("YES", "yes"),  # b
    ("Yes.", "yes"),  # l
    ("yes!", "yes"),  # b
    ("Yes, there is a dog.", "yes"),  # c
    ("Answer: yes", "yes"),  # c
    ("The answer is yes.", "yes"),  # c
    ("**Yes**", "yes"),  # m
    ("**Yes**, there is.", "yes"),  # m
    (r"\boxed{yes}", "yes"),  # m
    (r"\boxed{\text{Yes}}", "yes"),  # m
    ("<think>no cat, but a dog</think>Yes", "yes"),  # r
    ("<think>hm</think>\n\nYes.", "yes"),  # r
    ("<answer>yes</answer>", "yes"),  # r
    ("Yes</s>", "yes"),  # t
    ("Yes<|im_end|>", "yes"),  # t
    ('"Yes"', "yes"),  # m
    ("是", "yes"),  # z
    ("是的。", "yes"),  # z
    ("no", "no"),  # l
    ("No", "no"),  # l
    ("NO", "no"),  # b
    ("no!", "no"),  # b
    ("No\n", "no"),  # b
    ("No, there is not.", "no"),  # c
    ("No, there is no dog.", "no"),  # c
    ("There is no dog.", "no"),  # c
    ("Answer: No.", "no"),  # c
    ("The answer is no.", "no"),  # c
    ("**No**", "no"),  # m
    (r"\boxed{no}", "no"),  # m
    ("<think>yes, perhaps</think> no", "no"),  # r
    ("No</s>", "no"),  # t
    ("否", "no"),  # z
    ("不是", "no"),  # z
    # nothing that can be told
    ("", ""),
    ("maybe", ""),
    ("yes and no", ""),
    ("Yes or no?", ""),
    ("I cannot tell.", ""),
    ("hm", ""),
    ("noted", ""),
    ("nothing", ""),
    ("<think>yes", ""),
]

#: (text, what is left to compare)
SHORT = [
    ("cat", "cat"),
    ("cat.", "cat"),
    ("Answer: cat", "cat"),
    ("The answer is cat.", "cat"),
    ("**cat**", "cat"),
    (r"\boxed{cat}", "cat"),
    ("<think>a dog?</think>cat", "cat"),
    ("cat</s>", "cat"),
    ("cat<|im_end|>", "cat"),
    ('"cat"', "cat"),
    ("cat\nIt sits on a sofa and looks at us.", "cat"),
    ("答案：cat", "cat"),
    ("11:30", "11:30"),
    ("$5", "$5"),
]
