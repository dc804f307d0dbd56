"""Writers at full speed while everything behind them breaks, and the comparison afterwards."""
