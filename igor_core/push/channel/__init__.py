"""The agent's end of the receiver (igor_core/remote/receiver), a program on the host.

`Channel` has a method for each frame. `SurveyRequest` and `Precondition` are what is sent, `Answer`
and `State` what comes back. The rules of a push are not known at this level.
"""
