"""A terminal cockpit that shows how Kubernetes fails and how it comes back."""

__version__ = "0.1.0"
