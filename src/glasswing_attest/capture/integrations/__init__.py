"""HOW DOES A FRAMEWORK TELL WHAT IT DOES? Thin translations from a framework's callbacks to a `Build`.

Each module imports its framework when its function is called, and not before. Each one translates settings to
``externalParameters.hyperparameters``, figures to a by-product, checkpoints and models to inputs and outputs; the
caller owns the build, its inputs, and what is signed.
"""
