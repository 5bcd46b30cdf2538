"""TST exactly as published, in place of the recommended form: ``model = {{_base_.paper}}``."""

paper = dict(
    augmenter=dict(type='tst_mm.PaperAugmenter', preset='paper'),
    batch_mode='double',
    objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
)
