"""Beyond one machine: several hosts on one Redis, and the network's work shared out by Ray."""
