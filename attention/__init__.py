"""Tensors in, tensors out: region masks, compositors, attention, projections and adapter formats. torch only."""
