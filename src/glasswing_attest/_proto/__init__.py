"""Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand."""
