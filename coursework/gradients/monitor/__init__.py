"""Gradients of any `torch.nn.Module` while it trains, right down to the smallest subnormal.

`GradientMonitor` watches; `read_log` reads what it wrote; `diagnose` and `plot_record` take either's table.
"""

from coursework.gradients.monitor.core import GradientMonitor
from coursework.gradients.monitor.diagnosis import Finding, diagnose
from coursework.gradients.monitor.figures import plot_record
from coursework.gradients.monitor.labels import LABELS
from coursework.gradients.monitor.norms import log10_norm
from coursework.gradients.monitor.writers import read_log

__all__ = ["LABELS", "Finding", "GradientMonitor", "diagnose", "log10_norm", "plot_record", "read_log"]
