"""What runs on the hosts: standard-library Python 3.6+, sent over the wire."""
