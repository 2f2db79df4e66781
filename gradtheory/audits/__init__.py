"""Which layer of a network explodes, and why: audits of networks and of torch modules, and a monitor of training."""

from gradtheory.audits.audit import audit
from gradtheory.audits.layers import AuditedLayer
from gradtheory.audits.modules.monitor import Monitor, monitor
from gradtheory.audits.report.report import Audit
from gradtheory.errors import public

__all__ = ["Audit", "AuditedLayer", "Monitor", "audit", "monitor"]


public(__name__)
