"""The same student, with TST as the paper's code does it: what it changes in classification_tst.py.

The schedule of the demo and half of each batch augmented, as there.
"""

_base_ = ['./classification_tst.py']

model = dict(
    augmenter=dict(_delete_=True, type='tst_mm.PaperAugmenter', preset='paper'),
    objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
)
