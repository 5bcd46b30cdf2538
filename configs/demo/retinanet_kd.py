"""The same student, with plain knowledge distillation."""

_base_ = ['./retinanet_plain.py']

model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/demo/retinanet_teacher.py',
        checkpoint='work_dirs/demo/retinanet/teacher/iter_800.pth',
    ),
)
