"""ResNet-34 teaches ResNet-18 on ImageNet (paper): KD of the class logits at temperature 1."""

_base_ = ['./plain_resnet18_8xb32-100e_in1k.py', '../_base_/models/kd_logits.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmpretrain::resnet/resnet34_8xb32_in1k.py',
        checkpoint='https://download.openmmlab.com/mmclassification/v0/resnet/'
        'resnet34_8xb32_in1k_20210831-f257d4e6.pth',
    ),
    distiller=dict(
        student_recorders={{_base_.kd_recorders}},
        teacher_recorders={{_base_.kd_recorders}},
        distill_losses=dict(loss_kd=dict(type='KLDivergence', tau=1, loss_weight=1.0)),
        loss_forward_mappings={{_base_.kd_mappings}},
    ),
)
