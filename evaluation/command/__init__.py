"""What all commands share: options and their values, help, and errors that a user can mend."""
