"""The guard: what a call costs, counted without a clock, does not grow."""

from __future__ import annotations

import pytest
import torch

from benchmarks.cost.counters import NoWaits, WaitError, meta_device
from benchmarks.cost.counts import count_augmenter, step_waits
from benchmarks.cost.demo import demo_cost
from benchmarks.cost.networks import cases
from benchmarks.cost.steps import Steps
from tst_mm.augment import LearnedAugmenter, composition, warp
from tst_mm.paper import PaperAugmenter

#: Of 128 images of 3 x 32 x 32. A change that lowers one lowers its limit here.
LIMITS = {
    'default augmenter': {'launches': 85, 'copies': 6, 'samplings': 1, 'peak_over_images': 2.6},
    'relaxed augmenter': {
        'launches': 188,
        'launches_with_backward': 464,
        'copies': 10,
        'samplings': 1,
        'peak_over_images': 12.5,
    },
}


def exceeded() -> dict[str, tuple[float, float]]:
    """Counts above their limits, each with its limit."""
    counts = count_augmenter((128, 3, 32, 32))
    assert counts.keys() == LIMITS.keys()
    return {
        f'{form}: {name}': (counts[form][name], limit)
        for form, limits in LIMITS.items()
        for name, limit in limits.items()
        if counts[form][name] > limit
    }


def test_an_augmenter_call_does_not_grow():
    assert exceeded() == {}


def test_an_extra_sampling_is_seen(monkeypatch):
    def twice(images, matrix, *args, **kwargs):
        return warp.warp_images(
            warp.warp_images(images, matrix), torch.eye(3, device=matrix.device).expand_as(matrix)
        )

    monkeypatch.setattr(composition, 'warp_images', twice)
    found = exceeded()
    assert found['default augmenter: samplings'] == (2, 1)
    assert found['relaxed augmenter: samplings'] == (2, 1)


@pytest.mark.parametrize('read', [lambda x: x.item(), lambda x: x.nonzero(), lambda x: x.cpu()])
def test_a_wait_for_the_device_is_seen(read):
    with meta_device(), NoWaits(), pytest.raises(WaitError):
        read(torch.ones((), device='meta'))


@pytest.mark.parametrize('name', ['demo', 'classification'])
def test_no_step_of_a_classifier_waits(name):
    assert step_waits(cases(torch.device('cpu'))[name]) == {'student': '', 'search': ''}


def test_a_segmentor_waits_only_in_the_accuracy_of_mmseg(monkeypatch):
    case = cases(torch.device('cpu'))['pspnet']
    assert set(step_waits(case).values()) == {'indexing with a mask waits for its count'}
    zero = lambda *args, **kwargs: torch.zeros(1, device='meta')  # noqa: E731
    monkeypatch.setattr('mmseg.models.decode_heads.decode_head.accuracy', zero)
    assert step_waits(case) == {'student': '', 'search': ''}


@pytest.fixture(scope='module')
def steps() -> dict[str, dict[str, float]]:
    """Floating point operations and peaks of the steps of the demo."""
    found = Steps(cases(torch.device('cpu'))['demo'], torch.device('cpu'))
    return found.flops()


def test_a_split_step_computes_what_plain_kd_computes(steps):
    assert (
        steps['step/split']
        <= 1.001 * steps['step/kd']
        == pytest.approx(steps['floor/kd'], rel=0.02)
    )


def test_a_double_step_computes_twice_as_much(steps):
    assert steps['step/double'] <= 2.001 * steps['step/kd']


def test_a_search_step_is_at_its_floor(steps):
    assert steps['step/search'] <= 1.01 * steps['floor/search']


def test_a_further_pass_in_a_search_step_is_seen(monkeypatch):
    found = Steps(cases(torch.device('cpu'))['demo'], torch.device('cpu'))
    once = found.models['split'].score

    def twice(data, draws):
        once(data, 1)
        return once(data, draws)

    monkeypatch.setattr(found.models['split'], 'score', twice)
    counted = found.flops()
    assert counted['step/search'] > 1.01 * counted['floor/search']


def test_the_stages_of_the_demo_cost_two_percent_at_most():
    found = demo_cost()
    assert 0.005 < found['stages'] <= 0.02
    assert found['tst/kd'] <= 1.05


@pytest.mark.parametrize('relaxed', [False, True])
def test_the_operators_compile_into_one_graph(relaxed):
    augmenter = PaperAugmenter(num_ops=14, preset='recommended') if relaxed else LearnedAugmenter()
    images = torch.rand(4, 3, 32, 32) * 255
    draw = augmenter.draw([(32, 32)] * 4, **({'relaxed': True} if relaxed else {}))
    compiled = torch.compile(augmenter.transform, backend='eager', fullgraph=True)
    torch.testing.assert_close(compiled(images, draw), augmenter.transform(images, draw))
