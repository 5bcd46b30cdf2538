"""The teacher of the classification demo: sees all 6,000 embedded images."""

_base_ = [
    '../_base_/datasets/fashion_mnist_embedded.py',
    '../_base_/models/demo_classifier.py',
    '../_base_/schedules/demo_classification.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(stem_channels=24, base_channels=24),
    head=dict(in_channels=96),
)
