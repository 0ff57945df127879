"""`portico generate`: the tables of an Auth in the languages of other tools."""
