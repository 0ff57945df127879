"""The pages of Portico in a browser that reaches no host but this one."""
