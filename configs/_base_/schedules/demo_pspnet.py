"""As for the detectors, with the optimiser of mmseg's own schedules at ten times their rate."""

_base_ = ['./demo_dense.py']

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4)
)
