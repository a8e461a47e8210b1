"""The flight recorder: watches a run of any program and tells what its training did.

Layout:

    tensors     reading what tensors and modules hold, without running a line of the program's
    log         events, places, models, and when to look closely
    hooks       how a function or method is watched without changing what it does
    forwards    calls of models: modes, gradient state, dropout; the models' own properties
    questions   what is asked of a model after the run, on inputs it was given
    weights     what a model owns, what it uses without owning it, how its weights began
    losses      what goes into a loss, and with which weight it is differentiated
    answers     what is made of a model's answers: the best class, comparisons, differences
    tallies     sums over a pass, to hold printed figures against
    beats       zero, backward, step
    control     clipping, scaling, schedules
    loaders     passes over data, their order, and the data sets behind them
    datasets    questions to the data sets: do they vary, what do two share, how are they scaled
    rows        which rows a model saw, where there is no loader to ask
    files       what is saved, loaded, and put back
    seeds       which generators the program seeds
    scores      how well a model did in each evaluation pass
    targets     networks that go by the name of a target, and whose memory they share
    stopping    what a program says of its patience and its plan

What has a `name` and a `report` is an `Observer`, and `probes/recorder.py` lists them; `graphs`,
`leaves` and `optimizers` are the tools of `beats`. The findings are made outside, from
`Flight.report()`.
"""

from .log import Flight, Observer

__all__ = ["Flight", "Observer"]
