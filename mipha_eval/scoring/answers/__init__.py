"""Reading answers: by the official rules, bug for bug, a file a family of rules, and as a person would (`lenient`)."""
