"""Standing questions: what a person wants to be told of, matched on every clip that is seen."""
