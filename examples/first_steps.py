"""Evaluates, scores, compares and plots in a few lines; as cells of a notebook, tables and progress show by themselves."""

import matplotlib.pyplot as plt

import mipha_eval as me

run = me.evaluate("mipha-tiny", "pope,mmbench,textvqa", limit=60)  # the embedded model on the embedded scenes
print(run.metrics())

answers = run["pope"].samples()[["id", "answer"]]  # any program's answers: texts by question id, rows, or a file
texts = {int(row.id): row.answer for row in answers.itertuples()}
print(me.score("pope", texts, data="demo")["f1"])

floor = me.evaluate(lambda images, prompt: "Yes", "pope,mmbench", data="demo", limit=60)  # any function is a model
comparison = me.compare(floor, run)
print(comparison.metrics()[["task", "baseline_value", "value", "low", "high", "corrected_p"]])

table = run.metrics().query("headline")
table.plot.barh("task", "value", xerr=[table.value - table.low, table.high - table.value], legend=False)
plt.savefig("scores.png", bbox_inches="tight")
