"""KD at the cost of TST, with a fixed random policy: every rate and magnitude stays at 0.5."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook', stages=[])]
