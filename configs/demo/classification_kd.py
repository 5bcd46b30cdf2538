"""The same student, with plain knowledge distillation."""

_base_ = ['./classification_plain.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='tst_mm::demo/classification_teacher.py',
        checkpoint='work_dirs/demo/classification/teacher/epoch_14.pth',
    ),
)
