"""The same student, with plain knowledge distillation."""

_base_ = ['./pspnet_plain.py']

model = dict(
    _delete_=True,
    type='tst_mm.SegmentationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/demo/pspnet_teacher.py',
        checkpoint='work_dirs/demo/pspnet/teacher/iter_800.pth',
    ),
)
