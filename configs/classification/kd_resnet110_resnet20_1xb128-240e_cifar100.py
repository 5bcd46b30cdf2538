"""ResNet-110 teaches ResNet-20 on CIFAR-100 (paper): KD of the class logits, at half weight."""

_base_ = ['./plain_resnet20_1xb128-240e_cifar100.py', '../_base_/models/kd_logits.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/classification/plain_resnet110_1xb128-240e_cifar100.py',
        checkpoint='work_dirs/plain_resnet110_1xb128-240e_cifar100/epoch_240.pth',
    ),
    distiller=dict(
        student_recorders={{_base_.kd_recorders}},
        teacher_recorders={{_base_.kd_recorders}},
        distill_losses=dict(loss_kd=dict(type='KLDivergence', tau=4, loss_weight=0.5)),
        loss_forward_mappings={{_base_.kd_mappings}},
    ),
)
