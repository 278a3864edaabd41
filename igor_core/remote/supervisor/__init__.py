"""The supervisor: owns the programs that igor runs on a host; kills them if igor is gone."""
