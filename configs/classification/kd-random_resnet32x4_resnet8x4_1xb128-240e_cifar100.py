"""KD at the cost of TST, with a fixed random policy: the prior of TST, half of the images."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(batch_mode='split')
custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook', stages=[])]
