"""Local trees and hosts' trees, and what keeps them equal."""
