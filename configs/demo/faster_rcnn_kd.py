"""The same student, with plain knowledge distillation."""

_base_ = ['./faster_rcnn_plain.py']

model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/demo/faster_rcnn_teacher.py',
        checkpoint='work_dirs/demo/faster_rcnn/teacher/iter_800.pth',
    ),
)
