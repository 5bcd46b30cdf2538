"""TST without its search: the policy stays at its prior, on half of the images."""

_base_ = ['./classification_tst.py']

model = dict(batch_mode='split')
custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook', stages=[])]
