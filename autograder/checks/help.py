"""What a student is told when a bug is named: about three sentences that teach the idea.

`HELP` maps every bug id to its text. A text says what happens in the machine and why it
matters, and leaves the writing of the line to the student.
"""

from __future__ import annotations

HELP: dict[str, str] = {
    "missing_zero_grad": (
        "A backward pass adds to `.grad`; it never replaces what is there. Unless the gradients "
        "are cleared once per batch, every step also follows all the batches before it. Which "
        "place between one step and the next backward pass would be right for the clearing?"
    ),
    "zero_grad_after_backward": (
        "The backward pass fills `.grad`, and the step reads it. Whatever clears the gradients "
        "in between leaves the step nothing to read, so the weights stay as they are. Clear "
        "them before the backward pass, or after the step."
    ),
    "step_before_backward": (
        "The step moves the weights along the gradients that are there at that moment. Before "
        "this batch's backward pass those are the previous batch's, or none at all. The beats "
        "go: zero, forward, loss, backward, step."
    ),
    "missing_backward": (
        "The loss only knows how wrong the model was. It is the backward pass that works out, "
        "by the chain rule, how each weight contributed, and writes it into `.grad`. Without it "
        "the optimizer has nothing to go by and the weights never move."
    ),
    "missing_step": (
        "The backward pass computes gradients and changes no weight. The optimizer's step does "
        "that, and it has to happen once for every batch: indentation decides whether it does. "
        "A loop without it looks busy and learns nothing."
    ),
    "softmax_before_cross_entropy": (
        "Cross-entropy applies log-softmax to its input by itself, because that is how it stays "
        "exact for large numbers. Given probabilities it squeezes them a second time, the loss "
        "can no longer come near zero, and the gradients fade. Hand it the raw logits."
    ),
    "softmax_into_nll": (
        "The negative log-likelihood loss expects log-probabilities. Given plain probabilities "
        "it returns a number between -1 and 0 and its gradient never grows where the model is "
        "very wrong. Pair it with log-softmax, or use cross-entropy on the logits."
    ),
    "sigmoid_into_bce_with_logits": (
        "This loss applies the sigmoid by itself. Applied twice it maps every score into the "
        "narrow band between 0.5 and 0.73, and the loss has a floor it cannot pass. Hand it the "
        "raw score."
    ),
    "cross_entropy_single_output": (
        "Softmax over a single output is always 1, so its cross-entropy is always 0 and so is "
        "its gradient. With two classes use two outputs, or one output with the binary loss."
    ),
    "sum_instead_of_mean": (
        "A loss summed over the batch has a gradient as many times larger as the batch has "
        "samples. The step then depends on the batch size, and the learning rate loses its "
        "meaning. The mean over samples keeps the two apart."
    ),
    "mse_broadcast": (
        "Subtracting shapes (N,) and (N, 1) broadcasts to a whole (N, N) table of differences. "
        "The loss of that table is lowest when every prediction is the mean. Compare the shapes "
        "before the loss."
    ),
    "batch_mixing": (
        "Each row of a batch is a sample of its own, and no row's output may depend on another "
        "row. A reshape or permute that does not keep the first dimension first deals pixels of "
        "one image to another. Change one image and see whose output changes."
    ),
    "missing_eval_mode": (
        "Dropout and batch normalisation behave differently in training: they drop units, and "
        "normalise by the batch at hand. An evaluation left in training mode measures a noisier "
        "model than the one you would use. `nn.Module` has a switch for the mode; set it before "
        "measuring."
    ),
    "missing_train_mode": (
        "Evaluation switches the model into evaluation mode, and nothing switches it back by "
        "itself. From the second epoch on dropout would be off and batch normalisation frozen, "
        "with no error to tell you. Set the mode at the start of every training epoch."
    ),
    "missing_no_grad": (
        "Outside training nobody will ask for gradients, yet autograd records every operation "
        "unless it is told not to. The record costs memory and time and can keep a whole "
        "epoch's activations alive. PyTorch has a context in which nothing is recorded."
    ),
    "wrong_device": (
        "Tensors meet only on one device. The model is moved once, but every batch comes from "
        "the loader on the CPU and must be moved as well. On a laptop without a GPU the mistake "
        "is silent, which is why it is looked for here."
    ),
    "train_not_shuffled": (
        "In a fixed order the model sees the same batches every epoch, and often whole runs of "
        "one class. The steps then share the same bias instead of averaging it out. Ask the "
        "training loader for a new order each epoch."
    ),
    "eval_shuffled": (
        "The order of the test images changes no accuracy, but a fixed order lets you compare "
        "two runs image by image. It costs no points here; it is a habit worth having."
    ),
    "eval_augmented": (
        "Random changes to the images help training because each epoch looks new. In evaluation "
        "they make the measure itself random. Keep a plain pipeline for validation and test."
    ),
    "split_overlap": (
        "A sample in both training and test has been seen, and its answer may simply be "
        "remembered. The measured accuracy then says little about new images. The parts of a "
        "split share no index."
    ),
    "stats_leakage": (
        "Mean and standard deviation are learned from data like any weight. Taken over the test "
        "images as well, they carry information about them into training. Compute them from the "
        "training images alone and use them everywhere."
    ),
    "saves_last_not_best": (
        "The last epoch is seldom the best one. A checkpoint written after every epoch, or once "
        "at the end, holds whatever came last. Compare with the best accuracy so far, and write "
        "only when it is beaten."
    ),
    "best_weights_aliased": (
        "`state_dict()` hands out the live tensors, not a photograph of them. Kept in a "
        "variable, the “best” weights go on training with the model. Copy them at that moment, "
        "or write them to disk."
    ),
    "pickles_whole_model": (
        "Saving the model object stores a reference to your class and its module, and loading "
        "it runs code from the file. It breaks when the file moves, and safe loading refuses "
        "it. Save the `state_dict`: plain tensors under names."
    ),
    "unsafe_load": (
        "A pickle is a list of instructions, and reading it carries them out: whatever function "
        "it names is called on your machine. A checkpoint that came by mail or from a server is "
        "somebody else's program. `torch.load` can be told to take tensors and plain values only."
    ),
    "wrong_checkpoint": (
        "A checkpoint is worth something if a fresh process can rebuild the model from it. "
        "Create a new model, load the file into it and measure: the accuracy must be the one "
        "you claimed. If that fails, look at where and when the file is written."
    ),
    "resume_without_state": (
        "Optimizers with momentum remember, and schedules count. Restoring the weights alone "
        "starts both afresh, and the run takes another path from there. Save and restore every "
        "part that has state."
    ),
    "scheduler_order": (
        "A schedule prepares the learning rate of the next step, so it moves after the "
        "optimizer. Some schedules count epochs and some count batches. Print the rate at each "
        "step and compare it with the curve you meant."
    ),
    "clip_before_unscale": (
        "A gradient scaler multiplies the loss, and with it every gradient, by a large number. "
        "Clipping before the gradients are unscaled compares that inflated norm with your limit "
        "and shrinks honest gradients. Ask what the norm is at the line where you clip."
    ),
    "clip_no_effect": (
        "Clipping changes the gradients that are there when it is called. Before the backward "
        "pass there are none, and after the step it is too late. It belongs between the two."
    ),
    "loss_graph_accumulated": (
        "A loss tensor holds on to the graph that made it. Added up as a tensor, every batch's "
        "graph stays in memory until the epoch ends, and memory grows with each step. Add up "
        "plain numbers instead."
    ),
    "mean_of_batch_means": (
        "The last batch is often shorter than the others. A mean of the batches' means gives "
        "its samples more weight than the rest. Weight each batch's loss by its number of "
        "samples, then divide by the number of all samples."
    ),
    "loss_divided_twice": (
        "The loss of a batch is already a mean over its samples. Adding up those means and "
        "dividing by the number of samples divides a second time, and the result is too small "
        "by about the batch size. Undo the first division or leave out the second."
    ),
    "wrong_accuracy": (
        "Accuracy is the number of samples whose largest logit sits at the true class, over the "
        "number of samples. The class is along the second dimension, and the last batch may be "
        "short. Count over all batches first and divide once."
    ),
    "no_nonlinearity": (
        "One linear layer after another is still one linear map, however many there are. It is "
        "the nonlinearity between them that lets a network bend. Check that each hidden layer's "
        "output passes through its activation."
    ),
    "unregistered_modules": (
        "A module knows the layers that are set as its attributes, and those in "
        "`nn.ModuleList`, `nn.ModuleDict` or `nn.Sequential`. A plain Python list or dict hides "
        "them: `parameters()` does not list them, the optimizer never moves them, `to(device)` "
        "and `state_dict()` pass them by."
    ),
    "stale_optimizer": (
        "An optimizer keeps references to the parameters it was given when it was made. Build a "
        "new model afterwards, or freeze its parameters, and it goes on stepping for weights "
        "nobody uses. Make the optimizer last, from the parameters of the model you train."
    ),
    "dropout_always_on": (
        "The functional form of dropout does not know the module's mode unless you pass it. "
        "Then it drops units in evaluation too, and the same image gets different answers. "
        "Evaluate twice and compare."
    ),
    "wrong_weight_decay": (
        "Weight decay pulls every weight towards zero by a fixed share per step. Applied in the "
        "loss and in the optimizer it acts twice; in Adam the two places do not even mean the "
        "same. Decide on one."
    ),
    "lr_too_high": (
        "The gradient tells the direction only close by. Too large a step jumps over the "
        "valley, and the loss climbs or turns to nan instead of falling. Try a rate ten times "
        "smaller and watch the first twenty losses."
    ),
    "lr_too_low": (
        "Each step moves the weights by about the learning rate times the gradient. With too "
        "small a rate the loss hardly changes although everything else is right. Try a rate ten "
        "times larger and watch the first twenty losses."
    ),
    "inplace_autograd_error": (
        "Autograd keeps some tensors for the backward pass and needs them unchanged. An "
        "operation in place overwrote one of them. Write the result into a new tensor."
    ),
    "incomplete_seeding": (
        "Python, numpy and torch each have a random generator of their own, and a loader's "
        "shuffling draws from torch's. Two runs agree only if every one that is used is seeded "
        "before it is used. Run the program twice and compare the first losses."
    ),
    "early_stop_off_by_one": (
        "Patience counts the epochs without improvement that are allowed. Write down a short "
        "list of losses and mark by hand the epoch at which to stop. Then see where the counter "
        "is reset and compared."
    ),
    "accumulation_not_scaled": (
        "Gradients of several small batches add up. A sum of means is not the mean over all their "
        "samples: the step grows with the number of batches. Compare its length with that of the "
        "step of one large batch."
    ),
    "hidden_state_not_detached": (
        "A hidden state carried from one batch to the next carries its graph along. The second "
        "backward pass then runs into a graph that has been freed. Detach the state between "
        "batches."
    ),
    "nan_loss": (
        "Once a loss is no number, so is its gradient, and one step later so is every weight: no "
        "later batch can mend that. It comes from a root or a logarithm of 0, a division by 0, an "
        "overflow, or a row that holds no number itself. Look at the first batch that gave one, "
        "value by value, and keep what goes into such an operation away from its edge."
    ),
    "wrong_loss": (
        "A loss has to fit the task and what the network gives: one of several classes asks for a "
        "score of each class, a number for a distance; some losses are made for logarithms of "
        "probabilities, others for probabilities or raw scores. Given the wrong kind a loss still "
        "returns a number and a gradient, but one that leads elsewhere. Read what it expects, and "
        "print one row of what it gets."
    ),
    "not_in_optimizer": (
        "A backward pass fills the gradient of every parameter that the loss depends on, and an "
        "optimizer moves only those that it was given. A parameter of a loss module, a second "
        "network or a temperature beside the model has to be handed over as well. Count the "
        "parameters that have a gradient and those that the optimizer holds."
    ),
    "batches_lost": (
        "Gradients that are added up over several batches count for nothing until a step uses "
        "them. Where the number of batches is no multiple of the window, the last few of each "
        "epoch are cleared away by the next one, unless a last step is made of them. Count the "
        "steps of an epoch, and the batches that each of them rests on."
    ),
    "plateau_mode": (
        "This schedule waits for a measure to stop getting better, and has to be told whether "
        "better is lower or higher; without a word it takes lower. Fed an accuracy in that mode it "
        "sees every good epoch as a bad one and cuts the rate while the model still learns. Say "
        "which way the measure should go, and watch the rate for a few epochs."
    ),
    "target_not_frozen": (
        "A target network gives the values that the other network learns to meet, and must stand "
        "still in the meantime. Two names for one module, or a copy that shares its tensors, are "
        "one network: each step moves the target as well, and copying the weights over does "
        "nothing. Make the target a deep copy, and compare where the two keep their weights."
    ),
    "batch_norm_stale": (
        "Batch normalisation evaluates with a mean and a variance that it gathered from batches in "
        "training mode. An average of many models' weights has activations of its own, and the "
        "statistics of another model, or those a layer is made with, do not fit them. Pass some "
        "training batches through the averaged model in training mode before it is measured."
    ),
    "wrong_architecture": (
        "The handout says which layers, of which sizes, in which order. Print the model and add "
        "up the parameters layer by layer: inputs times outputs, plus one bias per output. The "
        "first number that differs shows the layer to look at."
    ),
    "wrong_init": (
        "Where the weights begin decides how large the first activations and gradients are. "
        "Compare mean and standard deviation of each layer's weights with what the handout asks "
        "for. Biases have a rule of their own."
    ),
    "wrong_confusion_matrix": (
        "Each sample adds one to a single cell: its row is the true class, its column the "
        "predicted one. The diagonal is what was right, and each row adds up to the number of "
        "samples of that class. Try three samples by hand."
    ),
    "wrong_per_class_accuracy": (
        "A class's accuracy is the share of its own samples that were found: the diagonal over "
        "the sum of its row. A class without samples has no accuracy, and nan says so honestly "
        "where 0 would accuse."
    ),
    "wrong_history": (
        "The history is the record of what happened: one training loss and one validation "
        "accuracy per epoch, in order, as plain numbers. The accuracy is that of the validation "
        "images, measured after the epoch's training."
    ),
    "wrong_shape": (
        "A shape is a promise to whoever calls the function. Print the shape after each step "
        "with a batch of two, and find the first that is not what you expected."
    ),
    "wrong_value": (
        "What was measured is not what the handout asks for; the message names both. Read that "
        "figure in the handout once more, or work the smallest example through by hand, and look "
        "where your code leaves it."
    ),
    "mutates_input": (
        "A tensor that a function is given belongs to whoever called it. Changing its values, its "
        "`.grad` or its `requires_grad` changes the caller's work behind the caller's back, and "
        "the next call finds another input. Work on a tensor of your own: most operations make "
        "one, those whose names end in `_` do not."
    ),
    "graph_cut": (
        "A gradient flows only where autograd has recorded each operation from the input to the "
        "result. `detach()`, `.data`, `.item()` and a detour through numpy or Python numbers end "
        "the record there, and what comes after counts as a constant. Follow the result back, "
        "step by step, and look where `requires_grad` is lost."
    ),
    "numerically_unstable": (
        "The exponential of 1000 is more than a float can hold, and the logarithm of a number "
        "that was rounded to 0 is minus infinity. The true result is an ordinary number all the "
        "same, if the large parts are taken out before they are computed. Which number may be "
        "added to all the inputs without changing the result?"
    ),
    "missing_bias_correction": (
        "Moving averages begin at zero, so in the first steps they are far too small. Adam "
        "divides each by one minus its decay to the power of the number of steps, which makes the "
        "first average equal to the first gradient. The number of steps counts steps, not "
        "parameters."
    ),
    "borrowed": (
        "This task is to write the function yourself, and the call handed the work to PyTorch's "
        "own. Comparing your result with PyTorch's in a cell of its own is a good idea; inside "
        "the function it answers the question by quoting it. Start from the formula in the "
        "handout."
    ),
    "pairs_broken": (
        "An image and its label belong together, and whatever reorders one has to reorder the "
        "other in the same way. Put in an order of its own, each image gets some other image's "
        "label, and nothing can be learnt. One list of indices serves both."
    ),
    "drops_samples": (
        "One pass over the data brings each sample exactly once. A short last batch that is left "
        "out, or a draw with replacement, loses some samples and may show others twice. Count how "
        "often each index comes out."
    ),
    "wrong_stats": (
        "Mean and standard deviation belong to all pixels of all images at once, per channel and "
        "on the scale on which the images are used. A mean of the images' own deviations is "
        "another number, and so is the deviation of their means. Work a set of four pixels "
        "through by hand."
    ),
    "wrong_dropout": (
        "In training, dropout sets each entry to zero with probability p, independently, and "
        "divides what stays by 1 - p, so that the expected sum does not change. In evaluation it "
        "does nothing at all. Try it on many ones: how many are zero, and what is the mean?"
    ),
    "selects_on_test": (
        "Whatever is chosen by a set of images fits that set better than any other. An epoch, a "
        "rate or a model chosen by the test images makes their accuracy a part of the training, "
        "and it no longer says how new images will do. Choose by a validation part, and look at "
        "the test images once."
    ),
    "wrong_claim": (
        "A claim is worth as much as the numbers under it. A difference that is smaller than what "
        "another seed would change may be no difference, and the best of several runs is always "
        "above their mean. Put the difference beside the spread, and say no more than both "
        "support."
    ),
    "missing_name": (
        "The checks call your functions and read your variables by the names in the handout. A "
        "name that is not defined after the program ran cannot be checked: look for a typo, or "
        "for an error above it that ended the program."
    ),
}
