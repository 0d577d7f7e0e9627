"""The block that the world's small convolutional networks are built of."""

from torch import nn


def conv_block(c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution, batch normalisation and a ReLU: [N, c_in, H, W] -> [N, c_out, H / stride, W / stride]."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, (kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )
