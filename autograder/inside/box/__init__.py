"""The box from within: the warm `template`, the `supervisor` of a submission, and its walls."""
