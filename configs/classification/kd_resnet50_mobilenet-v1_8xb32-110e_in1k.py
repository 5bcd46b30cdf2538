"""ResNet-50 teaches MobileNetV1 on ImageNet (paper): KD of the class logits at temperature 1."""

_base_ = ['./plain_mobilenet-v1_8xb32-110e_in1k.py', '../_base_/models/kd_logits.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmpretrain::resnet/resnet50_8xb32_in1k.py',
        checkpoint='https://download.openmmlab.com/mmclassification/v0/resnet/'
        'resnet50_8xb32_in1k_20210831-ea4938fc.pth',
    ),
    distiller=dict(
        student_recorders={{_base_.kd_recorders}},
        teacher_recorders={{_base_.kd_recorders}},
        distill_losses=dict(loss_kd=dict(type='KLDivergence', tau=1, loss_weight=1.0)),
        loss_forward_mappings={{_base_.kd_mappings}},
    ),
)
