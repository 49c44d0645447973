"""WHAT DOES IT PROVE? One question a file, each check pure: bytes, trust and time are arguments."""
