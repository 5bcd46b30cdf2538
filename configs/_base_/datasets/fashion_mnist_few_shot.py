"""The few images that a student sees: every beginning of the embedded set is balanced."""

_base_ = ['./fashion_mnist_embedded.py']

train_dataloader = dict(dataset=dict(indices=600))  # 60 of each class, 10 % of the embedded set
