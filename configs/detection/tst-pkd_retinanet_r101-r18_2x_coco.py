"""TST with another distillation loss: MMRazor's PKD on the feature pyramid, in place of ours."""

_base_ = ['./tst_retinanet_r101-r18_2x_coco.py']

# Arguments of MMRazor's ConfigurableDistiller; what stands here replaces the default losses.
neck = dict(type='ModuleOutputs', source='neck')
model = dict(
    distiller=dict(
        student_recorders=dict(neck=neck),
        teacher_recorders=dict(neck=neck),
        distill_losses=dict(loss_pkd=dict(type='PKDLoss', loss_weight=6)),
        loss_forward_mappings=dict(
            loss_pkd=dict(  # all levels at once; MMRazor's recorders count from_student
                preds_S=dict(recorder='neck', from_student=True),
                preds_T=dict(recorder='neck', from_student=False),
            )
        ),
    )
)
del neck
