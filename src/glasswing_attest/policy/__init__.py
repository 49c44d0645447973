"""IS IT ACCEPTABLE? What a policy says, and the rules that hold a claim against it."""
