"""The slow formulas of attention.isolation.isolated_norms, cell by cell, in Python loops."""

import torch


def visible(read, people, background):
    """[H, W] bool: what cells of these people may read of an input whose cells belong to `read` [H, W, M]."""
    rows = []
    for line in read.tolist():
        owners = [{m for m, own in enumerate(cell) if own} for cell in line]
        if people:
            rows.append([not owner or bool(owner & people) for owner in owners])
        else:
            rows.append([not owner or background != "apart" for owner in owners])
    return torch.tensor(rows, dtype=torch.bool).view(read.shape[:2])


def people_at(written, i, j):
    """Numbers of the members a cell belongs to."""
    return {m for m, own in enumerate(written[i, j].tolist()) if own}


def convolution(x, weight, bias, stride, padding, read, written, eta, background):
    """[C, H, W] -> [C', H', W'] with zero padding; a tap on a hidden cell weighs eta."""
    out = torch.zeros(len(weight), *written.shape[:2], dtype=x.dtype)
    for i in range(written.shape[0]):
        for j in range(written.shape[1]):
            seen = visible(read, people_at(written, i, j), background)
            value = bias.clone()
            for a in range(weight.shape[2]):
                for b in range(weight.shape[3]):
                    row, column = i * stride + a - padding, j * stride + b - padding
                    if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                        odds = 1.0 if seen[row, column] else eta
                        value = value + odds * (weight[:, :, a, b] @ x[:, row, column])
            out[:, i, j] = value
    return out


def group_norm(x, groups, weight, bias, eps, owned, eta, background):
    """[C, H, W]; statistics of what each cell sees, mixed with those of the whole picture by eta."""

    def normed(part, i, j, seen):
        values = part[:, seen]
        return (part[:, i, j] - values.mean()) / (values.var(correction=0) + eps).sqrt()

    out = torch.empty_like(x)
    everything = torch.ones(owned.shape[:2], dtype=torch.bool)
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            seen = visible(owned, people_at(owned, i, j), background)
            parts = [
                eta * normed(part, i, j, everything) + (1 - eta) * normed(part, i, j, seen) for part in x.chunk(groups)
            ]
            out[:, i, j] = torch.cat(parts) * weight + bias
    return out
