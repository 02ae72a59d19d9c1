"""The paper's four stages of training, on checkpoints in the released layout."""
