"""One student, from its seed to its accuracies; what a search calls a model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tst_mm.augment import LearnedAugmenter, Normalization
from tst_mm.registry import MODELS
from tst_mm.search import AdaptiveAmount, Losses, MeasuringSearch

from .matrix import Method, Task
from .parts import augmenter_of, folded, forward, imitation, influence, load_images, mixed, network

STAGE_BATCH, STAGE_SHARE = 16, 0.02
#: Of the adaptive amount, as :class:`tst_mm.AdaptiveAmountHook` has them by default.
HELD_OUT, RELEASE, SPEED, LOOKED_AT, LOOKS_SHARE = 0.05, 0.6, 0.2, 32, 0.01
FEWEST_LOOKS, MOST_LOOKS = 20, 100


class Training:
    """A student that learns one task in one way.

    Args:
        task: The task.
        method: The method.
        seed: It chooses the training images, the initial weights and all draws.
        data: The folder with the task's data.
        work_dir: The folder in which teachers and unpacked images are kept.
        device: Where it trains. Defaults to the CPU. Random numbers are drawn on the host, the same
            ones for every device.
    """

    def __init__(
        self,
        task: Task,
        method: Method,
        seed: int,
        data: Path,
        work_dir: Path,
        device: str = 'cpu',
    ) -> None:
        torch.set_num_threads(1)
        torch.backends.cudnn.deterministic = True
        self.task, self.method, self.seed = task, method, seed
        self.device = torch.device(device)
        images, labels = load_images(data, 'train', work_dir)
        test_images, test_labels = load_images(data, 'test', work_dir)
        order = np.random.default_rng(0).permutation(len(test_labels))
        self.test = [part[order].to(device) for part in (test_images, test_labels)]
        # Of a sample: only the scale matters.
        sample = images[:: max(1, len(images) // 2000)].float()
        mean, std = sample.mean((0, 2, 3)), sample.std((0, 2, 3))
        self.normalization = Normalization(mean.tolist(), std.tolist(), 'rgb').to(device)
        self.augmenter = augmenter_of(method.augment, method.strength, method.augmenter)
        self.augmenter.normalization = self.normalization
        kind = 'TeachingObjective' if method.objective == 'influence' else method.objective
        self.objective = MODELS.build({'type': f'tst_mm.{kind}'})
        channels, classes = images.shape[1], int(labels.max()) + 1
        self.teacher = self._teacher(images, labels, classes, work_dir)
        torch.manual_seed(seed)
        self.random = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(labels), generator=self.random)[: task.images]
        self.images, self.labels = images[chosen].to(device), labels[chosen].to(device)
        depth = self.task.depths[0] if self.task.depths else None
        self.student = network(12, channels, classes, depth).to(device)
        adaptive = method.fraction is None
        held = min(max(round(HELD_OUT * len(chosen)), 40), 2000) if adaptive else 0
        fixed = method.fraction
        if held > 0.2 * len(chosen):  # as the hook does, where a slice cannot be spared
            held, adaptive, fixed = 0, False, 1.0
        order = torch.randperm(len(chosen), generator=self.random)
        self.held, self.seen = order[:held], order[held:]
        self._share_cost(images[:1], adaptive)
        self.amount = None
        if adaptive:
            self.amount = AdaptiveAmount(method.target, 1.0, SPEED * self.looks)
        self.fraction = 1.0 if fixed is None else fixed

    def _share_cost(self, image: Tensor, adaptive: bool) -> None:
        """From the budget: the length of stages, the number of looks, and the student's steps.

        A backward pass counts as two forward passes.
        """
        self._image = image.to(self.device).float()
        of_student, of_teacher = (self.flops(net) for net in (self.student, self.teacher))
        step, look = 3 * of_student + of_teacher, of_student + of_teacher
        budget, self.stage_length, self.looks = self.task.budget, 0, 0
        batch = self.task.batch
        spent = 0.0
        if self.method.stages:
            copies = STAGE_BATCH * MeasuringSearch().draws
            share = STAGE_SHARE * budget * batch * step
            self.stage_length = max(1, int(share / self.method.stages / (copies * look)))
            spent += self.method.stages * self.stage_length * copies * look
        if adaptive:
            allowed = LOOKS_SHARE * budget * batch * step / (2 * LOOKED_AT * look)
            self.looks = min(max(int(allowed), FEWEST_LOOKS), MOST_LOOKS)
            spent += self.looks * RELEASE * 2 * LOOKED_AT * look
        self.steps = int(budget - spent / (batch * step))

    def run(self) -> dict[str, Any]:
        """Train; accuracies in percent, the amount and the policy over training, seconds."""
        start, steps = time.perf_counter(), self.steps
        optimizer = torch.optim.SGD(
            self.student.parameters(), 0.05, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.1 * self._rate(), steps, pct_start=0.15
        )
        search = self._new_search()
        stages = self.method.stages
        begins = {int(steps * (i + 0.5) / stages): i for i in range(stages)}
        amounts, effects = [], None
        prior = self.augmenter.policy.probability_logits.clone()
        for step in range(steps):
            if step in begins:
                effects = self._search(search, begins[step])
            if step == int(RELEASE * steps):
                self.seen = torch.cat((self.seen, self.held))
            elif self.amount and 0 < step < RELEASE * steps and step % (steps // self.looks) == 0:
                amounts.append([step, round(self._look(), 3), round(self.amount.gap, 3)])
            loss = self._loss(step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        half = len(self.test[0]) // 2
        moved = (self.augmenter.policy.probability_logits - prior).tolist()
        return {
            'validation': self.accuracy(self.student, slice(0, half)),
            'test': self.accuracy(self.student, slice(half, None)),
            'teacher': self.accuracy(self.teacher, slice(half, None)),
            'steps': steps,
            'amount': amounts,
            'last_fraction': round(self.fraction, 3),
            'policy': [round(value, 3) for value in moved] if stages else None,
            'known': effects,
            'seconds': round(time.perf_counter() - start),
        }

    def score(self, data: tuple[Tensor, Tensor], draws: int) -> dict[str, Any]:
        """What a distiller's ``score`` gives."""
        self.student.eval()
        with torch.no_grad():
            images, labels = data[0].repeat(draws, 1, 1, 1), data[1].repeat(draws)
            images, draw = self.augmenter(images)
            gain = None
            if self.method.objective == 'influence':
                held = self.held if len(self.held) else self.seen
                chosen = held[self._integers(len(held), min(len(held), 200))].to(self.device)
                others = self._normalized(self.images[chosen]), self.labels[chosen]
                gain = influence((images, labels), others, self.student, self.teacher)
            student, teacher = forward(self.student, images), forward(self.teacher, images)
            own = {'loss': F.cross_entropy(student, labels, reduction='none')}
            theirs = {'loss': F.cross_entropy(teacher, labels, reduction='none')}
            scales = {} if self.method.mean_scales else {'loss': 1.0}
            losses = Losses(theirs, own, {'loss_kd': imitation(student, teacher)}, scales)
            judged = self.objective.judge(losses)
        self.student.train()
        return {
            'objective': judged.objective if gain is None else -gain,
            'loss_teacher': judged.teacher,
            'loss_student': judged.student,
            'terms': own,
            'draw': draw,
        }

    def flops(self, model: nn.Module) -> float:
        """Floating point operations of a forward pass of one image."""
        was_training = model.training
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model.eval()(self._image)
        model.train(was_training)
        return float(counter.get_total_flops())

    @torch.no_grad()
    def accuracy(self, model: nn.Module, part: slice) -> float:
        """Top-1 accuracy in percent on a part of the test images."""
        images, labels = (values[part] for values in self.test)
        mean, std = self.normalization.mean, self.normalization.std
        was_training = model.training
        model.eval()
        right = sum(
            int((forward(model, (batch.float() - mean) / std).argmax(1) == target).sum())
            for batch, target in zip(images.split(500), labels.split(500), strict=True)
        )
        model.train(was_training)
        return round(100 * right / len(labels), 2)

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """Images that are trained on, normalized and changed as usual, and their labels."""
        chosen = self.seen[self._integers(len(self.seen), count)].to(self.device)
        return self._usual(self._normalized(self.images[chosen])), self.labels[chosen]

    def _new_search(self) -> Any:
        return MeasuringSearch(**self.method.search)

    def _search(self, search: Any, index: int) -> list[bool] | None:
        """One stage; which operators' effects are known after it."""
        search.begin(self, self.stage_length, self.stage_length)
        for step in range(self.stage_length):
            self.augmenter.reseed(self.seed, 1 + index, step)
            search.step(self.batch(STAGE_BATCH))
        search.end()
        return search.effects().known().tolist()

    def _look(self) -> float:
        """Move the amount by the losses on seen and on held-out images."""
        self.student.eval()
        losses = []
        with torch.no_grad():
            for indices in (self.seen, self.held):
                chosen = indices[self._integers(len(indices), LOOKED_AT)].to(self.device)
                images = self._normalized(self.images[chosen])
                both = forward(self.student, images), forward(self.teacher, images)
                losses.append(float(imitation(*both).mean()))
        self.student.train()
        assert self.amount is not None
        self.fraction = self.amount.update(*losses)
        return self.fraction

    def _loss(self, step: int) -> Tensor:
        """The loss of a student step on a batch of which a fraction is augmented."""
        batch = self.task.batch
        images, labels = self.batch(batch)
        other, share = labels, 1.0
        if self.method.augment in ('mixup', 'cutmix'):
            images, order, share = mixed(images, self.method.augment, self.random)
            other = labels[order]
        else:
            self.augmenter.reseed(self.seed, 0, step)
            count = int(self.fraction * batch + torch.rand((), generator=self.random).item())
            if count:
                images = torch.cat((self.augmenter(images[:count])[0], images[count:]))
        with torch.no_grad():
            teacher = forward(self.teacher, images)
        student = forward(self.student, images)
        own = F.cross_entropy(student, labels, reduction='none')
        if share < 1:
            own = share * own + (1 - share) * F.cross_entropy(student, other, reduction='none')
        if self.method.trust:
            own = own * teacher.softmax(1).gather(1, labels[:, None]).squeeze(1)
        return self.method.label_weight * own.mean() + imitation(student, teacher).mean()

    def _rate(self) -> float:
        """How much higher learning rates are than for batches of 64."""
        return (self.task.batch / 64) ** 0.5

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self.random)

    def _normalized(self, images: Tensor) -> Tensor:
        return (images.float() - self.normalization.mean) / self.normalization.std

    def _usual(self, images: Tensor) -> Tensor:
        """Mirrors, and shifts by up to an eighth of the size, where the task has them."""
        if not self.task.usual:
            return images
        if self.task.mirrors:
            flip = torch.rand(len(images), generator=self.random) < 0.5
            flip = flip.to(self.device)[:, None, None, None]
            images = torch.where(flip, images.flip(-1), images)
        count, size, reach = len(images), images.shape[-1], images.shape[-1] // 8
        places = torch.randint(2 * reach + 1, (count, 2), generator=self.random).to(self.device)
        along = places[:, :, None] + torch.arange(size, device=self.device)
        wide = F.pad(images, (reach,) * 4).permute(0, 2, 3, 1)
        chosen = torch.arange(count, device=self.device)[:, None, None]
        moved = wide[chosen, along[:, 0, :, None], along[:, 1, None, :]]
        return moved.permute(0, 3, 1, 2).flatten().view(images.shape)  # with the usual strides

    def _teacher(self, images: Tensor, labels: Tensor, classes: int, work_dir: Path) -> nn.Module:
        """Trained once, with a third of each batch augmented."""
        depth = self.task.depths[1] if self.task.depths else None
        suffix = f'_{depth}' if depth else ''
        path = work_dir / f'teacher_{self.task.data}{suffix}.pth'
        torch.manual_seed(0)
        teacher = network(32, images.shape[1], classes, depth).to(self.device)
        if path.exists():
            teacher.load_state_dict(torch.load(path, self.device, weights_only=True))
            return folded(teacher)
        steps = self.task.teacher_steps
        print(f'{self.task.data}: a teacher first, {steps:,} steps, for all its runs', flush=True)
        self.images, self.labels = images.to(self.device), labels.to(self.device)
        self.seen = torch.arange(len(labels))
        self.random = torch.Generator().manual_seed(0)
        optimizer = torch.optim.SGD(
            teacher.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        augmenter = LearnedAugmenter()
        augmenter.normalization = self.normalization
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2 * self._rate(), steps)
        batch = self.task.batch
        for step in range(steps):
            inputs, target = self.batch(batch + batch // 2)
            augmenter.reseed(step)
            inputs = torch.cat((augmenter(inputs[: batch // 2])[0], inputs[batch // 2 :]))
            loss = F.cross_entropy(forward(teacher, inputs), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        work_dir.mkdir(parents=True, exist_ok=True)
        torch.save(teacher.state_dict(), path)
        return folded(teacher)
