"""TST for dense tasks exactly as published: ``model = {{_base_.paper}}``."""

paper = dict(
    augmenter=dict(type='tst_mm.PaperAugmenter', preset='paper_dense'),
    batch_mode='double',
    objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
)
