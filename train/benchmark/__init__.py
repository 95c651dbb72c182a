"""Networks by training sets by translations by test sets: the paper's table, by one command."""
