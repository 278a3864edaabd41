"""The receiver, which writes files on a host: standard-library Python 3.6+, sent over ssh."""
