"""HOW IS IT SAID? in-toto statements, the resources they name, and the predicates they carry."""
