"""When the augmenter learns: stages, their loader, log and state, the hook that alternates."""

from .adaptive_amount_hook import AdaptiveAmountHook
from .alternating_schedule_hook import AlternatingScheduleHook
from .policy_progress_hook import PolicyProgressHook

__all__ = ['AdaptiveAmountHook', 'AlternatingScheduleHook', 'PolicyProgressHook']
