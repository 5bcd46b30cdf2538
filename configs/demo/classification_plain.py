"""The student of the classification demo, trained without a teacher on 600 images."""

_base_ = [
    '../_base_/datasets/fashion_mnist_few_shot.py',
    '../_base_/models/demo_classifier.py',
    '../_base_/schedules/demo_classification.py',
    '../_base_/default_runtime.py',
]
