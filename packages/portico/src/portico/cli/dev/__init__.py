"""`portico dev`: an Auth to develop and test against, with a mailbox, a clock to move and routes that tests drive."""
