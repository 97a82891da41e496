"""What a judge is asked about answers, and what its replies come to; who is asked, and how, is the judge's own room."""
