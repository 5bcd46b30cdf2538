"""TST without its augmenter stages: the policy stays as it starts, every rate and magnitude 0.5."""

_base_ = ['./pspnet_tst.py']

model = dict(batch_mode='split')
custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook', stages=[])]
