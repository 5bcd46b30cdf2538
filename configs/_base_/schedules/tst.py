"""Search stages, spread over the training, at about 2 % of its cost; and an amount that adapts."""

custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook')]
