"""The catalogue of bugs: every id that a check or a finding can name, and how to talk about it.

`BUGS` holds one `Bug` for each id. Checks (`checks/`) and findings (`watch/findings/`) refer to
these ids and to no others: `known` refuses the rest, so that a slip in an id is met when a module
is imported, or is the grader's fault, and never reaches a student.

`python -m autograder.bugs` prints docs/bugs.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .errors import GraderError


@dataclass(frozen=True)
class Bug:
    """One bug. All texts are Markdown of one paragraph, with code in backticks at most.

    `meaning` says in one line what is wrong in the program, `belief` what the student probably
    thinks, `question` what to ask so that the student finds it. `help` is what the student is told
    where the bug is named: about three sentences on what happens in the machine and why it
    matters, which leave the writing of the line to the student. `taught` is where the course
    teaches it, as `<assignment>#<task>`, or "" where no assignment does.
    """

    id: str
    meaning: str
    belief: str
    question: str
    help: str
    taught: str = ""

    @property
    def assignment(self) -> str:
        """The id of the assignment that teaches it, or ""."""
        return self.taught.partition("#")[0]

    @property
    def task(self) -> int:
        """The task of `assignment` that teaches it; 0 where none does."""
        return int(self.taught.partition("#")[2] or 0)


_ALL = (
    Bug(
        id="missing_zero_grad",
        meaning="Gradients are not cleared between two steps, so they add up over the batches.",
        belief="The backward pass computes the gradient anew each time.",
        question="What is in `.grad` just before this backward pass?",
        help=(
            "A backward pass adds to `.grad`; it never replaces what is there. Unless the "
            "gradients are cleared once per batch, every step also follows all the batches before "
            "it. Which place between one step and the next backward pass would be right for the "
            "clearing?"
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="zero_grad_after_backward",
        meaning=(
            "Gradients are cleared between the backward pass and the step, so the step finds none."
        ),
        belief=(
            "It does not matter where gradients are cleared, as long as it is done once per batch."
        ),
        question="What does the step read, and what did the line before it do to that?",
        help=(
            "The backward pass fills `.grad`, and the step reads it. Whatever clears the gradients "
            "in between leaves the step nothing to read, so the weights stay as they are. Clear "
            "them before the backward pass, or after the step."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="step_before_backward",
        meaning=(
            "The step comes before the backward pass, so it uses the last batch's gradients, or "
            "none."
        ),
        belief="The loss has been computed, so the optimizer knows where to go.",
        question="From which batch do the gradients come that this step uses?",
        help=(
            "The step moves the weights along the gradients that are there at that moment. Before "
            "this batch's backward pass those are the previous batch's, or none at all. The beats "
            "go: zero, forward, loss, backward, step."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="missing_backward",
        meaning="No backward pass runs, so no weight ever gets a gradient.",
        belief="Computing the loss also computes the gradients.",
        question="What is `.grad` of the first weight after one batch?",
        help=(
            "The loss only knows how wrong the model was. It is the backward pass that works out, "
            "by the chain rule, how each weight contributed, and writes it into `.grad`. Without "
            "it the optimizer has nothing to go by and the weights never move."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="missing_step",
        meaning="The optimizer does not step for every batch, so most gradients move no weight.",
        belief="The backward pass changes the weights.",
        question="How many steps does one epoch take, and how many batches does it have?",
        help=(
            "The backward pass computes gradients and changes no weight. The optimizer's step does "
            "that, and it has to happen once for every batch: indentation decides whether it does. "
            "A loop without it looks busy and learns nothing."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="softmax_before_cross_entropy",
        meaning="Cross-entropy is given probabilities, where it needs raw logits.",
        belief="Cross-entropy compares probabilities, so the model has to end in softmax.",
        question="What does cross-entropy do first with its input?",
        help=(
            "Cross-entropy applies log-softmax to its input by itself, because that is how it "
            "stays exact for large numbers. Given probabilities it squeezes them a second time, "
            "the loss can no longer come near zero, and the gradients fade. Hand it the raw "
            "logits."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="softmax_into_nll",
        meaning=(
            "The negative log-likelihood loss is given probabilities, where it needs their "
            "logarithms."
        ),
        belief="“Likelihood” in the name means that the loss takes probabilities.",
        question="Can a loss of this kind be below 0? What does it mean if it is?",
        help=(
            "The negative log-likelihood loss expects log-probabilities. Given plain probabilities "
            "it returns a number between -1 and 0 and its gradient never grows where the model is "
            "very wrong. Pair it with log-softmax, or use cross-entropy on the logits."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="sigmoid_into_bce_with_logits",
        meaning="The sigmoid is applied by the program, and by the loss a second time.",
        belief="The score has to be a probability before it reaches the loss.",
        question="What is the smallest loss that a perfect answer could get here?",
        help=(
            "This loss applies the sigmoid by itself. Applied twice it maps every score into the "
            "narrow band between 0.5 and 0.73, and the loss has a floor it cannot pass. Hand it "
            "the raw score."
        ),
        taught="02-losses-and-optimizers#4",
    ),
    Bug(
        id="cross_entropy_single_output",
        meaning=(
            "Cross-entropy is computed over one single output, so loss and gradient are always 0."
        ),
        belief="Yes or no is one number, and cross-entropy is the loss of every classifier.",
        question="What is the softmax of a row that holds one number?",
        help=(
            "Softmax over a single output is always 1, so its cross-entropy is always 0 and so is "
            "its gradient. With two classes use two outputs, or one output with the binary loss."
        ),
    ),
    Bug(
        id="sum_instead_of_mean",
        meaning="The loss is the sum over the batch, so each step grows with the batch size.",
        belief="The sum and the mean differ by a constant, and a constant does not matter.",
        question="What happens to the length of one step if the batch is twice as large?",
        help=(
            "A loss summed over the batch has a gradient as many times larger as the batch has "
            "samples. The step then depends on the batch size, and the learning rate loses its "
            "meaning. The mean over samples keeps the two apart."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="mse_broadcast",
        meaning="Shapes (N, 1) and (N,) are subtracted, which makes a table of N by N differences.",
        belief="Both hold N numbers, so the subtraction pairs them one to one.",
        question="Which shape has the difference, before it is squared?",
        help=(
            "Subtracting shapes (N,) and (N, 1) broadcasts to a whole (N, N) table of differences. "
            "The loss of that table is lowest when every prediction is the mean. Compare the "
            "shapes before the loss."
        ),
        taught="02-losses-and-optimizers#3",
    ),
    Bug(
        id="batch_mixing",
        meaning=(
            "A reshape or permute mixes the samples of a batch, so one image changes the output of "
            "another."
        ),
        belief="Any reshape that gives the right sizes keeps the samples apart.",
        question="If only the first image changes, which rows of the output change?",
        help=(
            "Each row of a batch is a sample of its own, and no row's output may depend on another "
            "row. A reshape or permute that does not keep the first dimension first deals pixels "
            "of one image to another. Change one image and see whose output changes."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="missing_eval_mode",
        meaning=(
            "The model is measured in training mode: dropout and batch normalisation stay active."
        ),
        belief="Without gradients and without a step, the model is in evaluation mode.",
        question="What does `model.training` say inside the evaluation loop?",
        help=(
            "Dropout and batch normalisation behave differently in training: they drop units, and "
            "normalise by the batch at hand. An evaluation left in training mode measures a "
            "noisier model than the one you would use. `nn.Module` has a switch for the mode; set "
            "it before measuring."
        ),
        taught="04-training-loop#3",
    ),
    Bug(
        id="missing_train_mode",
        meaning="Nothing puts the model back into training mode after an evaluation.",
        belief="The mode belongs to the function that sets it, and ends with it.",
        question="What does `model.training` say in the first batch of the second epoch?",
        help=(
            "Evaluation switches the model into evaluation mode, and nothing switches it back by "
            "itself. From the second epoch on dropout would be off and batch normalisation frozen, "
            "with no error to tell you. Set the mode at the start of every training epoch."
        ),
        taught="04-training-loop#6",
    ),
    Bug(
        id="missing_no_grad",
        meaning="The evaluation records a graph that nobody uses.",
        belief="`eval()` switches off the gradients as well.",
        question="Does the output of the evaluation require grad?",
        help=(
            "Outside training nobody will ask for gradients, yet autograd records every operation "
            "unless it is told not to. The record costs memory and time and can keep a whole "
            "epoch's activations alive. PyTorch has a context in which nothing is recorded."
        ),
        taught="04-training-loop#3",
    ),
    Bug(
        id="wrong_device",
        meaning="Model, images and labels do not all lie on the same device.",
        belief="Once the model is on the GPU, everything that it is given goes there by itself.",
        question="What is `.device` of a weight, of the images and of the labels?",
        help=(
            "Tensors meet only on one device. The model is moved once, but every batch comes from "
            "the loader on the CPU and must be moved as well. On a laptop without a GPU the "
            "mistake is silent, which is why it is looked for here."
        ),
        taught="05-five-beats#5",
    ),
    Bug(
        id="train_not_shuffled",
        meaning="The training images come in the same order in every epoch.",
        belief="The order cannot matter, because each image is used once per epoch.",
        question="Which classes are in the first batch of the first epoch, and of the second?",
        help=(
            "In a fixed order the model sees the same batches every epoch, and often whole runs of "
            "one class. The steps then share the same bias instead of averaging it out. Ask the "
            "training loader for a new order each epoch."
        ),
        taught="05-five-beats#2",
    ),
    Bug(
        id="eval_shuffled",
        meaning="The images of the evaluation come in a random order; this costs no points.",
        belief="All loaders should be made in the same way.",
        question="How would you find the image that two of your runs disagree about?",
        help=(
            "The order of the test images changes no accuracy, but a fixed order lets you compare "
            "two runs image by image. It costs no points here; it is a habit worth having."
        ),
        taught="05-five-beats#2",
    ),
    Bug(
        id="eval_augmented",
        meaning="Validation or test images are changed at random each time they are read.",
        belief="A transform belongs to the images, so every part of the data gets the same one.",
        question="Read validation image 7 twice: is it the same?",
        help=(
            "Random changes to the images help training because each epoch looks new. In "
            "evaluation they make the measure itself random. Keep a plain pipeline for validation "
            "and test."
        ),
        taught="03-data-pipeline#5",
    ),
    Bug(
        id="split_overlap",
        meaning="Some samples are in two parts of the split at once.",
        belief="Random parts of a large data set hardly share a sample.",
        question="How many indices are in both parts?",
        help=(
            "A sample in both training and test has been seen, and its answer may simply be "
            "remembered. The measured accuracy then says little about new images. The parts of a "
            "split share no index."
        ),
        taught="03-data-pipeline#4",
    ),
    Bug(
        id="stats_leakage",
        meaning=(
            "The mean and deviation used to normalise were computed with validation or test images."
        ),
        belief="Normalising only cleans the data; nothing is learnt by it.",
        question="Could you compute this number before the test images were collected?",
        help=(
            "Mean and standard deviation are learned from data like any weight. Taken over the "
            "test images as well, they carry information about them into training. Compute them "
            "from the training images alone and use them everywhere."
        ),
        taught="03-data-pipeline#5",
    ),
    Bug(
        id="saves_last_not_best",
        meaning="The weights that are kept are those of the last epoch, not of the best one.",
        belief="Each epoch is better than the one before.",
        question="Which epoch was the best, and which epoch's weights are in the file?",
        help=(
            "The last epoch is seldom the best one. A checkpoint written after every epoch, or "
            "once at the end, holds whatever came last. Compare with the best accuracy so far, and "
            "write only when it is beaten."
        ),
        taught="05-five-beats#6",
    ),
    Bug(
        id="best_weights_aliased",
        meaning="The “best” weights are the live ones and go on changing with the training.",
        belief="An assignment copies: `best = model.state_dict()` keeps what is there now.",
        question=(
            "Print the same entry of the best weights now, and again after the next epoch: is it "
            "the same?"
        ),
        help=(
            "`state_dict()` hands out the live tensors, not a photograph of them. Kept in a "
            "variable, the “best” weights go on training with the model. Copy them at that moment, "
            "or write them to disk."
        ),
        taught="05-five-beats#6",
    ),
    Bug(
        id="pickles_whole_model",
        meaning="The whole model object is saved, where its `state_dict` was asked for.",
        belief="Saving the model is the safest way, because nothing is left out.",
        question="What else does a new process need before it can read this file?",
        help=(
            "Saving the model object stores a reference to your class and its module, and loading "
            "it runs code from the file. It breaks when the file moves, and safe loading refuses "
            "it. Save the `state_dict`: plain tensors under names."
        ),
        taught="05-five-beats#6",
    ),
    Bug(
        id="unsafe_load",
        meaning="A checkpoint is loaded in a way that runs code from the file.",
        belief="Loading a file only reads data.",
        question="What would happen if a stranger had written this file?",
        help=(
            "A pickle is a list of instructions, and reading it carries them out: whatever "
            "function it names is called on your machine. A checkpoint that came by mail or from a "
            "server is somebody else's program. `torch.load` can be told to take tensors and plain "
            "values only."
        ),
        taught="08-schedule-and-resume#6",
    ),
    Bug(
        id="wrong_checkpoint",
        meaning=(
            "The checkpoint is missing, cannot be read, or does not hold the weights it should."
        ),
        belief="If a file was written, the work is saved.",
        question="What accuracy does a new model reach after it has loaded this file?",
        help=(
            "A checkpoint is worth something if a fresh process can rebuild the model from it. "
            "Create a new model, load the file into it and measure: the accuracy must be the one "
            "you claimed. If that fails, look at where and when the file is written."
        ),
        taught="05-five-beats#6",
    ),
    Bug(
        id="resume_without_state",
        meaning=(
            "After a resume the optimizer, the schedule or the random generators start from the "
            "beginning."
        ),
        belief="The weights are all that a training run has learnt.",
        question="What else changes with every step, besides the weights?",
        help=(
            "Optimizers with momentum remember, and schedules count. Restoring the weights alone "
            "starts both afresh, and the run takes another path from there. Save and restore every "
            "part that has state."
        ),
        taught="08-schedule-and-resume#5",
    ),
    Bug(
        id="scheduler_order",
        meaning="The schedule moves before the optimizer, too often, too seldom or never.",
        belief="The schedule may be called anywhere in the loop.",
        question="Which learning rate does the very first step use, and which the second?",
        help=(
            "A schedule prepares the learning rate of the next step, so it moves after the "
            "optimizer. Some schedules count epochs and some count batches. Print the rate at each "
            "step and compare it with the curve you meant."
        ),
        taught="08-schedule-and-resume#2",
    ),
    Bug(
        id="clip_before_unscale",
        meaning="Gradients are clipped while they are still multiplied by the scaler's factor.",
        belief="The scaler changes the loss only, not the gradients.",
        question="How large is the norm of the gradients at the line that clips them?",
        help=(
            "A gradient scaler multiplies the loss, and with it every gradient, by a large number. "
            "Clipping before the gradients are unscaled compares that inflated norm with your "
            "limit and shrinks honest gradients. Ask what the norm is at the line where you clip."
        ),
        taught="08-schedule-and-resume#4",
    ),
    Bug(
        id="clip_no_effect",
        meaning="Gradients are clipped where it has no effect, or other tensors are clipped.",
        belief="Clipping is a setting that holds from then on.",
        question="Which gradients exist at the line that clips them?",
        help=(
            "Clipping changes the gradients that are there when it is called. Before the backward "
            "pass there are none, and after the step it is too late. It belongs between the two."
        ),
        taught="08-schedule-and-resume#4",
    ),
    Bug(
        id="loss_graph_accumulated",
        meaning="Loss tensors are added up with their graphs, so memory grows with every batch.",
        belief="A loss is a number like any other.",
        question="Does the running total require grad?",
        help=(
            "A loss tensor holds on to the graph that made it. Added up as a tensor, every batch's "
            "graph stays in memory until the epoch ends, and memory grows with each step. Add up "
            "plain numbers instead."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="mean_of_batch_means",
        meaning="The mean of the batches' means is given as the mean over all samples.",
        belief="A mean of means is the mean.",
        question="With a batch of 64 and a batch of 1, how much does each sample count?",
        help=(
            "The last batch is often shorter than the others. In a mean of the batches' means "
            "every batch counts the same, however many samples it has, so a sample of the short "
            "batch counts more than one of a full batch. With a batch of 64 and a batch of 1: how "
            "much does each sample count, and how much should it?"
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="loss_divided_twice",
        meaning="Means of batches are added up and divided by the number of samples.",
        belief=(
            "A mean over the data set is a sum divided by the number of samples, whatever was "
            "added up."
        ),
        question="What has the loss of one batch been divided by already?",
        help=(
            "The loss of a batch is already a mean over its samples. Adding up those means and "
            "dividing by the number of samples divides a second time, and the result is too small "
            "by about the batch size. Undo the first division or leave out the second."
        ),
        taught="04-training-loop#2",
    ),
    Bug(
        id="wrong_accuracy",
        meaning="The accuracy is taken along the wrong dimension, or divided by the wrong number.",
        belief="If the number lies between 0 and 1, it is the accuracy.",
        question="With three samples of which two are right, what does your function return?",
        help=(
            "Accuracy is the number of samples whose largest logit sits at the true class, over "
            "the number of samples. The class is along the second dimension, and the last batch "
            "may be short. Count over all batches first and divide once."
        ),
        taught="04-training-loop#3",
    ),
    Bug(
        id="no_nonlinearity",
        meaning="No activation stands between the layers, so the network is one linear map.",
        belief="More layers make a network more powerful by themselves.",
        question="Where in `forward` is the first thing that is not a matrix product?",
        help=(
            "One linear layer after another is still one linear map, however many there are. It is "
            "the nonlinearity between them that lets a network bend. Check that each hidden "
            "layer's output passes through its activation."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="unregistered_modules",
        meaning=(
            "Layers are kept where the model does not find them, so nothing trains or saves them."
        ),
        belief="A layer belongs to the model because the model uses it.",
        question=(
            "How many parameters does `model.parameters()` list, and how many should there be?"
        ),
        help=(
            "A module knows the layers that are set as its attributes, and those in "
            "`nn.ModuleList`, `nn.ModuleDict` or `nn.Sequential`. A plain Python list or dict "
            "hides them: `parameters()` does not list them, the optimizer never moves them, "
            "`to(device)` and `state_dict()` pass them by."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="stale_optimizer",
        meaning="The optimizer moves the parameters of an old model, or some that nobody uses.",
        belief="The optimizer follows the name `model`, whatever that name means later.",
        question="Are the tensors in the optimizer the same objects as those of the model?",
        help=(
            "An optimizer keeps references to the parameters it was given when it was made. Build "
            "a new model afterwards, or freeze its parameters, and it goes on stepping for weights "
            "nobody uses. Make the optimizer last, from the parameters of the model you train."
        ),
        taught="05-five-beats#3",
    ),
    Bug(
        id="dropout_always_on",
        meaning="Dropout is active in evaluation too, because it is never told the mode.",
        belief="`eval()` reaches everything that `forward` calls.",
        question="In evaluation mode, does the same image get the same answer twice?",
        help=(
            "The functional form of dropout does not know the module's mode unless you pass it. "
            "Then it drops units in evaluation too, and the same image gets different answers. "
            "Evaluate twice and compare."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="wrong_weight_decay",
        meaning="The weights are pulled towards zero too much, too little, or in the wrong way.",
        belief=(
            "A penalty in the loss and the optimizer's weight decay are two names for one thing."
        ),
        question="If all gradients are zero, by what factor does one step shrink a weight?",
        help=(
            "Weight decay pulls every weight towards zero by a fixed share per step. Applied in "
            "the loss and in the optimizer it acts twice; in Adam the two places do not even mean "
            "the same. Decide on one."
        ),
        taught="02-losses-and-optimizers#7",
    ),
    Bug(
        id="lr_too_high",
        meaning="The learning rate is so high that the loss grows, becomes nan or never falls.",
        belief="A higher rate only means that training is done sooner.",
        question="By what share of its size does a weight change in one step?",
        help=(
            "The gradient tells the direction only close by. Too large a step jumps over the "
            "valley, and the loss climbs or turns to nan instead of falling. Try a rate ten times "
            "smaller and watch the first twenty losses."
        ),
        taught="06-line-by-line#4",
    ),
    Bug(
        id="lr_too_low",
        meaning="The learning rate is so low that the weights hardly move.",
        belief="A small rate is always the safe choice.",
        question="By what share of its size does a weight change in one epoch?",
        help=(
            "Each step moves the weights by about the learning rate times the gradient. With too "
            "small a rate the loss hardly changes although everything else is right. Try a rate "
            "ten times larger and watch the first twenty losses."
        ),
        taught="06-line-by-line#4",
    ),
    Bug(
        id="inplace_autograd_error",
        meaning="An operation in place overwrites a tensor that the backward pass still needs.",
        belief="Writing into a tensor saves memory and changes nothing else.",
        question="Which operation needs this tensor's old value for its gradient?",
        help=(
            "Autograd keeps some tensors for the backward pass and needs them unchanged. An "
            "operation in place overwrote one of them. Write the result into a new tensor."
        ),
        taught="01-autograd#1",
    ),
    Bug(
        id="incomplete_seeding",
        meaning="Not every random generator is seeded before it is used, so two runs differ.",
        belief="One seed, set anywhere, fixes everything.",
        question="Which lines draw random numbers, and which generator does each of them use?",
        help=(
            "Python, numpy and torch each have a random generator of their own, and a loader's "
            "shuffling draws from torch's. Two runs agree only if every one that is used is seeded "
            "before it is used. Run the program twice and compare the first losses."
        ),
        taught="05-five-beats#2",
    ),
    Bug(
        id="early_stop_off_by_one",
        meaning="Early stopping ends the training one epoch too early or too late.",
        belief="One epoch more or less cannot matter.",
        question="Losses 0.9, 0.7, 0.8, 0.75 and a patience of 2: after which of them do you stop?",
        help=(
            "Patience counts the epochs without improvement that are allowed. Write down a short "
            "list of losses and mark by hand the epoch at which to stop. Then see where the "
            "counter is reset and compared."
        ),
        taught="07-regularisation#3",
    ),
    Bug(
        id="accumulation_not_scaled",
        meaning="Gradients of several batches are added up and never divided by their number.",
        belief="Accumulating over small batches is the same as one large batch by itself.",
        question="How long is this step, compared with the step of one large batch?",
        help=(
            "Gradients of several small batches add up. A sum of means is not the mean over all "
            "their samples: the step grows with the number of batches. Compare its length with "
            "that of the step of one large batch."
        ),
        taught="08-schedule-and-resume#4",
    ),
    Bug(
        id="hidden_state_not_detached",
        meaning="A hidden state carries its graph from one batch into the next.",
        belief="A state is only numbers when the next batch begins.",
        question="How many batches back does the graph of this loss reach?",
        help=(
            "A hidden state carried from one batch to the next carries its graph along. The second "
            "backward pass then runs into a graph that has been freed. Detach the state between "
            "batches."
        ),
    ),
    Bug(
        id="nan_loss",
        meaning="The loss becomes nan, and every weight after it.",
        belief="A single bad batch is made good by the batches after it.",
        question="Which is the first batch whose loss is no finite number, and what is in it?",
        help=(
            "Once a loss is no number, so is its gradient, and one step later so is every weight: "
            "no later batch can mend that. It comes from a root or a logarithm of 0, a division by "
            "0, an overflow, or a row that holds no number itself. Look at the first batch that "
            "gave one, value by value, and keep what goes into such an operation away from its "
            "edge."
        ),
    ),
    Bug(
        id="wrong_loss",
        meaning="The loss function does not fit the task, or not the numbers that it is given.",
        belief="A loss that can be computed and falls is a loss that teaches the task.",
        question="What would the model have to answer to make this loss as small as possible?",
        help=(
            "Each loss is made for one task and one kind of number: logarithms of probabilities, "
            "probabilities, raw scores, or plain values. Given another kind it still returns a "
            "number and a gradient, but one that leads elsewhere; a divergence below 0 is a plain "
            "sign of it, and so is a distance between a score and a class's number. Read what the "
            "loss expects, and print one row of what it gets."
        ),
        taught="09-debugging-clinic#2",
    ),
    Bug(
        id="not_in_optimizer",
        meaning="Parameters that get a gradient were never handed to an optimizer.",
        belief="What gets a gradient is trained.",
        question="How many parameters have a gradient, and how many does the optimizer hold?",
        help=(
            "A backward pass fills the gradient of every parameter that the loss depends on, and "
            "an optimizer moves only those that it was given. A parameter of a loss module, a "
            "second network or a temperature beside the model has to be handed over as well. Count "
            "the parameters that have a gradient and those that the optimizer holds."
        ),
    ),
    Bug(
        id="batches_lost",
        meaning="The last batches of an epoch are accumulated and cleared away without a step.",
        belief="The number of batches can always be divided by the number to accumulate.",
        question=(
            "How many batches are left over at the end of an epoch, and what becomes of their "
            "gradients?"
        ),
        help=(
            "Gradients that are added up over several batches count for nothing until a step uses "
            "them. Where the number of batches is no multiple of the window, the last few of each "
            "epoch are cleared away by the next one, unless a last step is made of them. Count the "
            "steps of an epoch, and the batches that each of them rests on."
        ),
    ),
    Bug(
        id="plateau_mode",
        meaning=(
            "The schedule waits for a measure to fall that should rise, or the other way round."
        ),
        belief="The schedule knows whether it is given a loss or an accuracy.",
        question="What does the schedule do after an epoch that was better than all before it?",
        help=(
            "This schedule waits for a measure to stop getting better, and has to be told whether "
            "better is lower or higher; without a word it takes lower. Fed an accuracy in that "
            "mode it sees every good epoch as a bad one and cuts the rate while the model still "
            "learns. Say which way the measure should go, and watch the rate for a few epochs."
        ),
    ),
    Bug(
        id="target_not_frozen",
        meaning="The target network shares its weights with the network that is trained.",
        belief="A second name, or a shallow copy, is a second network.",
        question="Does a weight of the target change in a step of the other network?",
        help=(
            "A target network gives the values that the other network learns to meet, and must "
            "stand still in the meantime. Two names for one module, or a copy that shares its "
            "tensors, are one network: each step moves the target as well, and copying the weights "
            "over does nothing. Make the target a deep copy, and compare where the two keep their "
            "weights."
        ),
    ),
    Bug(
        id="batch_norm_stale",
        meaning="Batch normalisation evaluates with statistics that belong to other weights.",
        belief="Averaging the weights of several models averages everything about them.",
        question="Which model's activations are these running means from?",
        help=(
            "Batch normalisation evaluates with a mean and a variance that it gathered from "
            "batches in training mode. An average of many models' weights has activations of its "
            "own, and the statistics of another model, or those a layer is made with, do not fit "
            "them. Pass some training batches through the averaged model in training mode before "
            "it is measured."
        ),
    ),
    Bug(
        id="mutates_input",
        meaning=(
            "A function changes the tensor that it was given, or its `.grad` or `requires_grad`."
        ),
        belief="A function works on a copy of its arguments.",
        question="Print the argument before and after the call: is it the same?",
        help=(
            "A tensor that a function is given belongs to whoever called it. Changing its values, "
            "its `.grad` or its `requires_grad` changes the caller's work behind the caller's "
            "back, and the next call finds another input. Work on a tensor of your own: most "
            "operations make one, those whose names end in `_` do not."
        ),
        taught="01-autograd#2",
    ),
    Bug(
        id="graph_cut",
        meaning=(
            "A detach, `.data`, `.item()` or numpy breaks the graph, so a gradient is missing or "
            "only local."
        ),
        belief="The gradient follows the values, whichever way they were computed.",
        question=(
            "Which is the first result on the way from input to loss that does not require grad?"
        ),
        help=(
            "A gradient flows only where autograd has recorded each operation from the input to "
            "the result. `detach()`, `.data`, `.item()` and a detour through numpy or Python "
            "numbers end the record there, and what comes after counts as a constant. Follow the "
            "result back, step by step, and look where `requires_grad` is lost."
        ),
        taught="01-autograd#4",
    ),
    Bug(
        id="numerically_unstable",
        meaning="The result is nan, infinite or 0 where the true value is an ordinary number.",
        belief="A formula that is right on paper is right on a computer.",
        question="What does your function return for the inputs 10000 and -10000?",
        help=(
            "The exponential of 1000 is more than a float can hold, and the logarithm of a number "
            "that was rounded to 0 is minus infinity. The true result is an ordinary number all "
            "the same, if the large parts are taken out before they are computed. Which number may "
            "be added to all the inputs without changing the result?"
        ),
        taught="02-losses-and-optimizers#1",
    ),
    Bug(
        id="missing_bias_correction",
        meaning="Adam's moving averages are not corrected for having started at zero.",
        belief="The correction is a detail that soon makes no difference.",
        question="How long is the very first step, compared with the learning rate?",
        help=(
            "Moving averages begin at zero, so in the first steps they are far too small. Adam "
            "divides each by one minus its decay to the power of the number of steps, which makes "
            "the first average equal to the first gradient. The number of steps counts steps, not "
            "parameters."
        ),
        taught="02-losses-and-optimizers#6",
    ),
    Bug(
        id="borrowed",
        meaning="The function calls the ready-made one that the task asks to write.",
        belief="The right result is all that is asked for.",
        question="Which line of yours computes the exponential, the logarithm or the update?",
        help=(
            "This task is to write the function yourself, and the call handed the work to "
            "PyTorch's own. Comparing your result with PyTorch's in a cell of its own is a good "
            "idea; inside the function it answers the question by quoting it. Start from the "
            "formula in the handout."
        ),
        taught="02-losses-and-optimizers#1",
    ),
    Bug(
        id="pairs_broken",
        meaning=(
            "Images and labels are put into different orders, so they no longer belong together."
        ),
        belief="Shuffling twice in the same way gives the same order twice.",
        question="Draw one image of a batch: is the label beside it right?",
        help=(
            "An image and its label belong together, and whatever reorders one has to reorder the "
            "other in the same way. Put in an order of its own, each image gets some other image's "
            "label, and nothing can be learnt. One list of indices serves both."
        ),
        taught="03-data-pipeline#2",
    ),
    Bug(
        id="drops_samples",
        meaning="One pass over the data leaves samples out, or brings some of them twice.",
        belief="A random batch from the data is as good as the next part of it.",
        question="In one pass, how often does each index come out?",
        help=(
            "One pass over the data brings each sample exactly once. A short last batch that is "
            "left out, or a draw with replacement, loses some samples and may show others twice. "
            "Count how often each index comes out."
        ),
        taught="03-data-pipeline#2",
    ),
    Bug(
        id="wrong_stats",
        meaning=(
            "Mean or standard deviation are not those of all pixels, per channel, on the scale in "
            "use."
        ),
        belief="The mean of the images' deviations is the deviation of all pixels.",
        question=(
            "One image has the pixels 0 and 0, the other 1 and 1: what is the deviation of all "
            "four?"
        ),
        help=(
            "Mean and standard deviation belong to all pixels of all images at once, per channel "
            "and on the scale on which the images are used. A mean of the images' own deviations "
            "is another number, and so is the deviation of their means. Work a set of four pixels "
            "through by hand."
        ),
        taught="03-data-pipeline#3",
    ),
    Bug(
        id="wrong_dropout",
        meaning=(
            "Dropout has the wrong share of zeros, the wrong factor, or changes what is evaluated."
        ),
        belief="Dropout only sets entries to zero.",
        question="Of 10,000 ones, how many become zero, and what is the mean of the result?",
        help=(
            "In training, dropout sets each entry to zero with probability p, independently, and "
            "divides what stays by 1 - p, so that the expected sum does not change. In evaluation "
            "it does nothing at all. Try it on many ones: how many are zero, and what is the mean?"
        ),
        taught="07-regularisation#1",
    ),
    Bug(
        id="selects_on_test",
        meaning="The test images are used to choose an epoch, a setting or a model.",
        belief="I did not train on the test images, so their accuracy is honest.",
        question="How many test accuracies did you look at before you kept this one?",
        help=(
            "Whatever is chosen by a set of images fits that set better than any other. An epoch, "
            "a rate or a model chosen by the test images makes their accuracy a part of the "
            "training, and it no longer says how new images will do. Choose by a validation part, "
            "and look at the test images once."
        ),
        taught="10-honest-numbers#1",
    ),
    Bug(
        id="wrong_claim",
        meaning="The conclusion does not follow from the numbers that were measured.",
        belief="The higher number is the better model.",
        question="How much would this number change with another seed?",
        help=(
            "A claim is worth as much as the numbers under it. A difference that is smaller than "
            "what another seed would change may be no difference, and the best of several runs is "
            "always above their mean. Put the difference beside the spread, and say no more than "
            "both support."
        ),
        taught="10-honest-numbers#3",
    ),
    Bug(
        id="wrong_architecture",
        meaning="The layers are not those of the handout, in number, size or order.",
        belief="A network that learns the task is the right one.",
        question="How many parameters does each of your layers have, and how many should it have?",
        help=(
            "The handout says which layers, of which sizes, in which order. Print the model and "
            "add up the parameters layer by layer: inputs times outputs, plus one bias per output. "
            "The first number that differs shows the layer to look at."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="wrong_init",
        meaning="The weights do not begin as the handout asks.",
        belief="Training moves the weights anyway, so it does not matter where they begin.",
        question="What are mean and deviation of each layer's weights before the first step?",
        help=(
            "Where the weights begin decides how large the first activations and gradients are. "
            "Compare mean and standard deviation of each layer's weights with what the handout "
            "asks for. Biases have a rule of their own."
        ),
        taught="06-line-by-line#2",
    ),
    Bug(
        id="wrong_confusion_matrix",
        meaning="The confusion matrix counts wrongly, or has rows and columns exchanged.",
        belief="Rows and columns can be exchanged without changing the meaning.",
        question="One sample of class 2 was taken for class 5: which cell counts it?",
        help=(
            "Each sample adds one to a single cell: its row is the true class, its column the "
            "predicted one. The diagonal is what was right, and each row adds up to the number of "
            "samples of that class. Try three samples by hand."
        ),
        taught="04-training-loop#4",
    ),
    Bug(
        id="wrong_per_class_accuracy",
        meaning=(
            "The accuracy of a class is divided by the wrong number, or 0 where there is no sample."
        ),
        belief="A class that never occurs has an accuracy of 0.",
        question="Which samples does the accuracy of class 3 speak of?",
        help=(
            "The accuracy of a class speaks of the samples of that class alone. Which cells of the "
            "confusion matrix count the samples whose true class is 3, and in which of them was "
            "the answer right? A class that never occurs was never tried: a 0 there would say that "
            "every answer was wrong."
        ),
        taught="04-training-loop#5",
    ),
    Bug(
        id="wrong_history",
        meaning=(
            "The history does not hold what each epoch brought: a number per epoch in each list."
        ),
        belief="Any record of the training will do.",
        question="After two epochs, how long is each list, and what is its second entry?",
        help=(
            "The history is the record of what happened: a training loss and a validation "
            "accuracy or loss per epoch, in order, as plain numbers. What is said of the "
            "validation images was measured after the epoch's training."
        ),
        taught="04-training-loop#6",
    ),
    Bug(
        id="wrong_shape",
        meaning="A result does not have the shape that the handout asks for.",
        belief="The right numbers are the right answer, in whatever shape.",
        question="For a batch of two images, which shape comes out, and which is asked for?",
        help=(
            "A shape is a promise to whoever calls the function. Print the shape after each step "
            "with a batch of two, and find the first that is not what you expected."
        ),
        taught="04-training-loop#1",
    ),
    Bug(
        id="wrong_value",
        meaning="A result is another number than the one asked for, and no known bug explains it.",
        belief="The program runs through, so its result is right.",
        question="What should come out for the smallest example that you can work out by hand?",
        help=(
            "What was measured is not what the handout asks for; the message names both. Read that "
            "figure in the handout once more, or work the smallest example through by hand, and "
            "look where your code leaves it."
        ),
        taught="04-training-loop#7",
    ),
    Bug(
        id="missing_name",
        meaning="A name that the handout asks for is not defined after the program ran.",
        belief="Another name for the same thing will be understood.",
        question=(
            "Is the name written exactly as in the handout, and does the program get as far as "
            "that line?"
        ),
        help=(
            "The checks call your functions and read your variables by the names in the handout. A "
            "name that is not defined after the program ran cannot be checked: look for a typo, or "
            "for an error above it that ended the program."
        ),
        taught="04-training-loop#1",
    ),
)

BUGS: Mapping[str, Bug] = MappingProxyType({bug.id: bug for bug in _ALL})


def known(*ids: str) -> None:
    """Raise `GraderError` for the first id that the catalogue does not have."""
    for bug in ids:
        if bug not in BUGS:
            near = difflib.get_close_matches(bug, BUGS, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else "see docs/bugs.md"
            raise GraderError(f"no bug is called '{bug}'", remedy=remedy)


def page() -> str:
    """docs/bugs.md, as Markdown."""
    return "\n\n".join([_HEAD, *map(_section, BUGS.values())]) + "\n"


_HEAD = """\
<!-- Made by: python -m autograder.bugs > docs/bugs.md -->

# Bugs by name

Every bug that a check or `autograder watch` can name, with what to say about it. For teaching
assistants: what the student probably believes, and a question that makes them look for themselves.
What the report shows the student is quoted. The texts stand in `autograder/bugs.py`."""


def _section(bug: Bug) -> str:
    taught = f"assignment {bug.assignment}, task {bug.task}" if bug.taught else "in no assignment"
    return "\n".join(
        [
            f"## `{bug.id}`",
            "",
            bug.meaning,
            "",
            f"- The student probably believes: “{bug.belief}”",
            f"- Ask: {bug.question}",
            f"- Taught: {taught}",
            "",
            f"> {bug.help}",
        ]
    )


if __name__ == "__main__":
    print(page(), end="")
