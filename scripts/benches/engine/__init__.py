"""What the benches `speed` and `leak` measure the attention engine with: UNets, sampling runs, clocks, counters."""
