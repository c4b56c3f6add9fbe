"""Three virtual machines that Vagrant makes."""
