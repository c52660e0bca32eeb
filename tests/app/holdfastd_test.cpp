// holdfastd from outside: what it prints and how it exits.
