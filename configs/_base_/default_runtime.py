"""What every run has, apart from its schedule. Other tasks set their own default_scope."""

custom_imports = dict(imports=['tst_mm'], allow_failed_imports=False)
default_scope = 'mmpretrain'

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),  # gloo on a machine without a GPU
)
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
randomness = dict(seed=0)
