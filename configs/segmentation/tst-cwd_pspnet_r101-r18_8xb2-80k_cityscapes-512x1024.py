"""TST with another distillation loss: MMRazor's channel-wise distillation, in place of ours."""

_base_ = ['./tst_pspnet_r101-r18_8xb2-80k_cityscapes-512x1024.py']

# Arguments of MMRazor's ConfigurableDistiller; what stands here replaces the default losses.
logits = dict(type='ModuleOutputs', source='decode_head.conv_seg')
model = dict(
    distiller=dict(
        student_recorders=dict(logits=logits),
        teacher_recorders=dict(logits=logits),
        distill_losses=dict(loss_cwd=dict(type='ChannelWiseDivergence', tau=1, loss_weight=5)),
        loss_forward_mappings=dict(
            loss_cwd=dict(
                preds_S=dict(recorder='logits', from_student=True),
                preds_T=dict(recorder='logits', from_student=False),
            )
        ),
    )
)
del logits
