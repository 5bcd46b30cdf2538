"""Parts of MMRazor's ConfigurableDistiller for KD of class logits at another weight or T."""

kd_recorders = dict(kd=dict(type='ModuleOutputs', source='head.fc'))
kd_mappings = dict(
    loss_kd=dict(
        preds_S=dict(recorder='kd', from_student=True),
        preds_T=dict(recorder='kd', from_student=False),
    )
)
