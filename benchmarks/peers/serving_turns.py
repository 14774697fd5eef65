"""What every side of serve_vs_peers does with a request: batches of raw texts to answers, again and again."""

import time


def turns(answer_batch, tokenise=None):
    """A callable from {batches: [[text, …], …], runs} to {seconds, probabilities, tokenising}.

    `seconds` are those of a batch: each of its values is one run over all batches, divided by their number.
    `tokenising` is the same for the words to token ids alone, the least of a few runs.

    Args:
        answer_batch: callable, list of str to probabilities `<float>[texts, labels]`, an array.
        tokenise: callable, list of str to whatever the model is fed with.
    """

    def reply_to(request):
        batches, probabilities = request["batches"], []
        for _ in range(2):  # shapes are met, and what is compiled for them is compiled, before anything counts
            probabilities = [row for texts in batches for row in answer_batch(texts).tolist()]
        seconds = [_run(answer_batch, batches) for _ in range(request["runs"])]
        reply = {"seconds": seconds, "probabilities": probabilities}
        return reply | ({"tokenising": min(_run(tokenise, batches) for _ in range(5))} if tokenise else {})

    return reply_to


def _run(call, batches):
    start = time.perf_counter()
    for texts in batches:
        call(texts)
    return (time.perf_counter() - start) / len(batches)
