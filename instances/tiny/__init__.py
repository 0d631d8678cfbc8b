"""A real model that is made on the spot: random weights, half a megabyte, readable nonsense.

llama.cpp loads it like any other, so that a demonstration and the tests have a model without a download. It has two tricks.
One dimension of the hidden state is constant, so that the weights of the output which belong to it are a bias for each
token: bytes and pieces of words practically never come unless a grammar asks for them, and texts end by themselves. And
every beginning of a word is a token, so that the tokenizer can build each word from letters.
"""
