"""What tasks and models hand over, looked at once where it comes in: is it of the type and in the range that it must be?

A plugin is anybody's code, and a slip in it is no score: a text in the place of a tuple, a score of 5, an answer that is
None. What is wrong is an error with the plugin's file and line; in a bundled task or model it is a bug.
"""
