"""VideoChat-Flash: video clips and a question in, words out. No network, no storage, no wall clock."""
