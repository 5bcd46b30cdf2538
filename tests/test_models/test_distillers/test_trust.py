"""Labels by trust: the label loss is weighed by the teacher's probability of the label."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from .. import dense
from ..helpers import batch, classifier, distiller


def prepared(model, data):
    data = model.data_preprocessor(data, True)
    return data['inputs'], data['data_samples']


def test_an_image_counts_as_far_as_the_teacher_believes_its_label():
    model = distiller(batch_mode=0.0, label_trust=True).eval()
    inputs, samples = prepared(model, batch())
    label = torch.tensor([int(sample.gt_label) for sample in samples])
    found = model(inputs, samples, mode='loss')
    own = F.cross_entropy(model.student(inputs, mode='tensor'), label, reduction='none')
    trust = model.teacher.model(inputs, mode='tensor').softmax(1)
    trust = trust.gather(1, label[:, None]).squeeze(1)
    torch.testing.assert_close(found['loss'], (trust * own).mean())
    model.label_trust = False
    plain = model(inputs, samples, mode='loss')
    torch.testing.assert_close(found['loss_kd'], plain['loss_kd'])
    torch.testing.assert_close(plain['loss'], own.mean())


def test_a_pixel_counts_as_far_as_the_teacher_believes_its_label():
    model = dense.distiller(
        'SegmentationDistiller', dense.segmentor(auxiliary=False), batch_mode=0.0, label_trust=True
    ).eval()
    inputs, samples = prepared(model, dense.segmentation_data())
    found = model(inputs, samples, mode='loss')['decode.loss_ce']
    label = torch.stack([sample.gt_sem_seg.data for sample in samples]).squeeze(1)

    def logits(network):
        return F.interpolate(network(inputs, mode='tensor'), label.shape[-2:], mode='bilinear')

    own = F.cross_entropy(logits(model.student), label, ignore_index=255, reduction='none')
    doubt = F.cross_entropy(logits(model.teacher.model), label, ignore_index=255, reduction='none')
    torch.testing.assert_close(found, (torch.exp(-doubt) * own).mean())
    assert found.requires_grad


def test_what_cannot_be_weighed_is_refused():
    with pytest.raises(ValueError, match='label_trust is True; allowed: False'):
        dense.distiller('DetectionDistiller', dense.detector('retinanet'), label_trust=True)
    with pytest.raises(ValueError, match="label_trust is 'yes'; allowed: True, False"):
        distiller(label_trust='yes')
    soft = {'type': 'mmpretrain.LabelSmoothLoss', 'label_smooth_val': 0.1, 'mode': 'multi_label'}
    model = distiller(
        student=classifier(loss={**soft, 'num_classes': 4}), batch_mode=0.0, label_trust=True
    )
    with pytest.raises(ValueError, match='label_trust: loss of the student is'):
        model(*prepared(model, batch()), mode='loss')
