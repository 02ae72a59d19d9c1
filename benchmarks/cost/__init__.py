"""What encoding, watching and answering cost, by formula, and how far a history reaches."""
