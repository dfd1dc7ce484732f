"""Answers to the exercises of lesson 15, written apart from the bank: right ones, and one for each mistake."""

import torch


def by_hand(scores):
    powers = torch.exp(scores - scores.amax(-1, keepdim=True))
    return powers / powers.sum(-1, keepdim=True)


def row_by_row(scores):
    flat = scores.reshape(-1, scores.shape[-1])
    return torch.stack([row.softmax(0) for row in flat]).reshape(scores.shape)


def after_the_logarithm(scores):
    return torch.exp(scores - torch.logsumexp(scores, dim=-1, keepdim=True))


def columns(scores):
    powers = torch.exp(scores)
    return powers / powers.sum(-2, keepdim=True)


RIGHT = {"15.1": [by_hand, row_by_row, after_the_logarithm]}
WRONG = {
    "15.1": {
        "over-queries": [columns],
        "no-exponential": [lambda scores: torch.einsum("...k,...->...k", scores, 1 / scores.sum(-1))],
        "not-normalised": [lambda scores: torch.e**scores],
    }
}
