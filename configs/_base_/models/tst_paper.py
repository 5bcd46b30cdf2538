"""TST exactly as published, in place of the recommended form: ``model = {{_base_.paper}}``."""

paper = dict(
    augmenter=dict(type='tst_mm.LearnedAugmenter', preset='paper'),
    objective=dict(type='tst_mm.TeachingObjective', preset='paper'),
)
