"""Watching any program at all: `watcher` runs it under the recorder, `findings` say what it did."""
