"""The explorer: a page in the browser that answers by the public functions while a slider moves.

`state` is what the page is asked, `neuron`, `chain` and `phases` answer it as plain words and arrays, `workers` lets
processes of their own do so, `page` draws the answers, and `server` serves them to this machine alone.
"""
