"""Small helpers shared by all parts of tst_mm."""

from .errors import closest, reject_unknown_arguments, reject_unknown_keys, require_mapping

__all__ = ['closest', 'reject_unknown_arguments', 'reject_unknown_keys', 'require_mapping']
