"""A folder of pictures by class that is not split gives the same part of each to validation."""

from tst_mm.datasets.image_folder import hold_out


def test_the_same_part_of_every_class_is_held_out():
    samples = [
        (f'{label}/{i}.png', label) for label, count in enumerate((10, 2, 1)) for i in range(count)
    ]
    splits = hold_out(samples, 0.3, seed=0)
    counted = {
        split: [sum(label == kind for _, label in found) for kind in range(3)]
        for split, found in splits.items()
    }
    # An only picture is for training: no class that is validated was never seen.
    assert counted == {'train': [7, 1, 1], 'val': [3, 1, 0]}
    assert sorted(splits['train'] + splits['val']) == sorted(samples)
    assert hold_out(samples, 0.3, seed=0) == splits != hold_out(samples, 0.3, seed=1)
