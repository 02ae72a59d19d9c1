"""What `flashback doctor` looks at: this machine, what is kept, and how the service is reached."""
